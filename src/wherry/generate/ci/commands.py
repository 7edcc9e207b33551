"""What jobs of either service say to wherry. Places in, shell with pipefail out; touches nothing."""

from __future__ import annotations

from typing import Final

LOGIN: Final = (
    """printf '%s' "$REGISTRY_PASSWORD" | """
    """wherry registry login "$REGISTRY" --username "$REGISTRY_USERNAME" --password-stdin\n"""
)
AGAIN: Final = (
    "Built once more, without any cache: equal sources give an equal image, so what a cache or a machine has changed\n"
    "has another digest and is not pushed."
)


def build(place: str) -> str:
    """Sets `image` to NAME:VERSION@DIGEST. For all platforms at once, by cross-compiling: nothing is emulated."""
    return (
        'image="$(wherry build "$PACKAGE" --platform "$PLATFORMS" \\\n'
        f'  --tag "$IMAGE:{{version}}" --output "{place}" --quiet)"\n'
    )


def push_again(place: str) -> str:
    """Pushes the digest PROVED and no other."""
    return f"""\
{build(place)}\
if [ "${{image##*@}}" != "$PROVED" ]; then
  echo "built again it is ${{image##*@}}, and $PROVED was proved" >&2
  exit 1
fi
wherry push "{place}" --tag "${{image%@*}}"
"""


def prove(place: str) -> str:
    """Run and look, before anybody can pull it."""
    return f'wherry prove "{place}"\n'
