"""Licences by their texts. A folder in, SPDX identifiers out; reads files named LICENSE, COPYING and the like.

A small table of phrases that stand in one licence only. What is not recognised is not named: a wrong licence is worse
than none.
"""

from __future__ import annotations

import os

from wherry.analyze.reading import is_inside, read_start

NAMES = ("license", "licence", "copying", "unlicense", "mit-license", "apache-license")
SIZE = 64 << 10
MOST = 32
#: All phrases of a row must be in the text, blanks made equal; the first row that fits is the licence.
PHRASES: tuple[tuple[str, tuple[str, ...]], ...] = (
    ("AGPL-3.0", ("gnu affero general public license", "version 3")),
    ("LGPL-3.0", ("gnu lesser general public license", "version 3")),
    ("LGPL-2.1", ("gnu lesser general public license", "version 2.1")),
    ("GPL-3.0", ("gnu general public license", "version 3, 29 june 2007")),
    ("GPL-2.0", ("gnu general public license", "version 2, june 1991")),
    ("MPL-2.0", ("mozilla public license version 2.0",)),
    ("MPL-2.0", ("mozilla public license, version 2.0",)),
    ("Apache-2.0", ("apache license", "version 2.0, january 2004")),
    ("Apache-2.0", ("licensed under the apache license, version 2.0",)),
    ("BSD-3-Clause", ("redistribution and use in source and binary forms", "neither the name")),
    ("BSD-3-Clause", ("redistribution and use in source and binary forms", "may not be used to endorse or promote")),
    (
        "BSD-2-Clause",
        ("redistribution and use in source and binary forms", "redistributions in binary form must reproduce"),
    ),
    (
        "ISC",
        (
            "permission to use, copy, modify, and/or distribute this software for any purpose",
            "with or without fee is hereby granted",
        ),
    ),
    (
        "ISC",
        (
            "permission to use, copy, modify, and distribute this software for any purpose",
            "with or without fee is hereby granted",
        ),
    ),
    ("Unlicense", ("this is free and unencumbered software released into the public domain",)),
    (
        "MIT",
        (
            "permission is hereby granted, free of charge, to any person obtaining a copy",
            "the above copyright notice and this permission notice",
        ),
    ),
    ("CC0-1.0", ("cc0 1.0 universal",)),
)
#: The GNU licences do not say in their own text whether later versions are allowed; SPDX wants one of two.
GNU = frozenset(("AGPL-3.0", "LGPL-3.0", "LGPL-2.1", "GPL-3.0", "GPL-2.0"))


def licences(root: str, folders: tuple[str, ...] = (".",)) -> tuple[str, ...]:
    """SPDX identifiers of the licence files in `folders` below `root`, and of a REUSE folder LICENSES; sorted, each
    once.
    """
    found: set[str] = set()
    for folder in folders:
        path = os.path.normpath(os.path.join(root, folder))
        for name in _files(path):
            if name.lower().startswith(NAMES) and not name.lower().endswith((".go", ".sh", ".json", ".yml", ".yaml")):
                found.add(_of_file(os.path.join(path, name), root))
        reuse = os.path.join(path, "LICENSES")
        found |= {_of_file(os.path.join(reuse, name), root) for name in _files(reuse) if name.endswith((".txt", ".md"))}
    return tuple(sorted(found - {""}))


def licence_of(text: str) -> str:
    """The SPDX identifier of a licence text, or empty."""
    even = " ".join(text.lower().split())
    found = next((name for name, phrases in PHRASES if all(phrase in even for phrase in phrases)), "")
    if found not in GNU:
        return found
    return (
        f"{found}-or-later"
        if "or (at your option) any later version" in even.split("how to apply these terms")[0]
        else f"{found}-only"
    )


def _files(folder: str) -> list[str]:
    try:
        with os.scandir(folder) as entries:
            return sorted(entry.name for entry in entries if entry.is_file())[:2000]
    except OSError:
        return []


def _of_file(path: str, root: str) -> str:
    data = read_start(path, SIZE) if is_inside(path, root) else None
    return licence_of(data.decode("utf-8", "replace")) if data else ""
