"""The pages of `wherry explain`. A name in, its page out; reads wherry's own files."""

from __future__ import annotations

from importlib.resources import files


def page_of(name: str) -> str:
    """The page; empty where there is none."""
    page = files("wherry.cli") / "pages" / f"{name}.md"
    return page.read_text(encoding="utf-8") if page.is_file() else ""
