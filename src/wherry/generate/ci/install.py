"""What a job installs wherry from. This program's version in, what pip is told and why out; touches nothing.

A name that no index has is anybody's to take: a version that is not published yet is asked of none.
"""

from __future__ import annotations

import re
from typing import Final

from wherry import __version__

VERSION = __version__
VARIABLE: Final = "WHERRY"
_RELEASE: Final = re.compile(r"[0-9]+(?:\.[0-9]+)*(?:(?:a|b|rc)[0-9]+)?(?:\.post[0-9]+)?", re.ASCII)
"""Versions that are published (PEP 440): not `.dev`, nor what somebody built with a `+` behind it."""


def usual() -> str:
    """What pip installs where nobody says otherwise: this very release; empty where it is none."""
    return f"wherry=={VERSION}" if _RELEASE.fullmatch(VERSION) else ""


def why(place: str) -> str:
    """What stands above it; `place`: where the service keeps its variables."""
    said = f"The variable {VARIABLE} ({place}) says another"
    if usual():
        return f"What pip installs. {said}."
    return (
        f"{VERSION} is no release, and no index has it: the variable {VARIABLE}\n"
        f"({place}) says what pip installs,\n"
        "a wheel's address or git+https://HOST/PATH@COMMIT."
    )


def refusal(place: str) -> str:
    """Shell that ends a job where nothing says what to install; empty where the file itself does."""
    told = f"{VARIABLE} is empty: set it to a wheel or git+https://HOST/PATH@COMMIT"
    return (
        ""
        if usual()
        else f"""\
[ -n "${VARIABLE}" ] || {{
  echo "{told}" >&2
  echo "({place})" >&2
  exit 1
}}
"""
    )
