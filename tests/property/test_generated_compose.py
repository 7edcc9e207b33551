"""Whatever a repository is called, compose files and bake files mean just that (I01, I02, I04), says their own parser."""

from __future__ import annotations

import tempfile
import unicodedata
from pathlib import Path

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from tests.support import foreign
from tests.support.applications import DIGEST, HOSTILE, JOBS
from wherry.errors import UsageError
from wherry.generate import bake
from wherry.generate.compose.files import PURPOSES, files
from wherry.model.application import Application, Backing
from wherry.model.file import Choice
from wherry.model.place import Place

pytestmark = pytest.mark.slow
TEXTS = st.text(min_size=1, max_size=40).filter(lambda text: "\0" not in text)
PIECES = st.lists(
    st.sampled_from(
        ("$", "$$", "{", "}", "${A:-b}", "%{", "\\", '"', "'", "\n", " #", ": ", "- ", "|", "\r", "\u2028", "a", "é")
    ),
    min_size=1,
    max_size=12,
).map("".join)
NASTY = pytest.mark.parametrize("purpose", PURPOSES)


def of(text: str) -> Application:
    """JOBS with `text` wherever a repository may say what it likes."""
    runs = replace(
        JOBS.runs,
        seccomp="p/s.json",
        backing=(Backing(kind="redis", place=Place(file=text, line=3)),),
        stop_signal=text,
    )
    sources = replace(JOBS.sources, module_files=(f"m/{_as_name(text)}/go.mod",))
    return replace(JOBS, image=text, runs=runs, sources=sources)


def _as_name(text: str) -> str:
    """One folder of a path."""
    return text.replace("/", "_") if text not in (".", "..") else "_"


@NASTY
@settings(deadline=None, max_examples=40)
@given(text=TEXTS | PIECES)
@example(text=HOSTILE)
@example(text="12:30")
@example(text="$")
@example(text="${X:?}")
def test_compose_reads_what_was_meant(purpose: str, text: str) -> None:
    (made,) = files((replace(of(text), digest=DIGEST),), Choice(what="compose", variant=purpose))
    with tempfile.TemporaryDirectory() as folder:
        read = foreign.compose(made.text, Path(folder))
    assert read.keys() == {"name", "services", "networks", "volumes", "secrets"} - (
        {"secrets"} if purpose == "production" else set()
    )
    assert read["services"].keys() == {"jobs", "redis"}
    jobs = read["services"]["jobs"]
    assert jobs["stop_signal"] == text
    if purpose == "dev":
        assert jobs["develop"]["watch"][0]["ignore"][-1] == f"m/{_as_name(text)}/go.mod"
    else:
        assert jobs["image"] == {"secure": f"{text}:dev", "production": f"{text}@{DIGEST}"}[purpose]


@settings(deadline=None, max_examples=40)
@given(text=TEXTS | PIECES)
@example(text=HOSTILE)
@example(text="cafe\u0301")
@example(text="${VERSION}%{ if true }x%{ endif }\\${")
def test_bake_reads_what_was_meant(text: str) -> None:
    application = replace(of(text), image=f"r/{text}", home=f"h/{_as_name(text)}")
    if not unicodedata.is_normalized("NFC", f"{application.image} {application.home}"):
        with pytest.raises(UsageError, match="cannot be written in docker-bake"):
            bake.files((application,), Choice(what="bake"))
        return
    (made,) = bake.files((application,), Choice(what="bake"))
    with tempfile.TemporaryDirectory() as folder:
        read = foreign.bake(made.text, Path(folder), version="7")
    assert read["target"].keys() == {"jobs", "jobs-release"}
    assert read["target"]["jobs"]["tags"] == [f"r/{text}:7"]
    assert read["target"]["jobs"]["dockerfile"] == f"h/{_as_name(text)}/Dockerfile"
    assert read["target"]["jobs-release"]["cache-from"] == [f"type=registry,ref=r/{text}:cache"]
