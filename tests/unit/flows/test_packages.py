"""Packages are counted from what their managers wrote into layers."""

from __future__ import annotations

import io
import tarfile  # noqa: TID251 - layers as other tools write them
from pathlib import Path

import pytest

from wherry.flows.variants import packages
from wherry.oci import media
from wherry.oci.layer import Packed

DPKG = "Package: libc6\nStatus: install ok installed\n\nPackage: tzdata\nVersion: 1\nDescription: a\n Package: no\n"
APK = "C:Q1\nP:musl\nV:1.2\n\nC:Q1\nP:busybox\n"


def layer(folder: Path, files: dict[str, str]) -> Packed:
    path = folder / f"{len(list(folder.iterdir()))}.tar"
    with tarfile.open(path, "w") as archive:
        for name, text in files.items():
            entry = tarfile.TarInfo(name)
            entry.size = len(text)
            archive.addfile(entry, io.BytesIO(text.encode()))
    return Packed(file=str(path), media_type=media.OCI_LAYER)


@pytest.mark.parametrize(
    ("layers", "count"),
    [
        ([], 0),
        ([{"app/x": "Package: no\n"}], 0),
        ([{"var/lib/dpkg/status": DPKG}], 2),
        ([{"var/lib/dpkg/status": DPKG}, {"var/lib/dpkg/status": DPKG + "\nPackage: git\n"}], 3),
        ([{"var/lib/dpkg/status.d/base": "Package: base-files\n", "var/lib/dpkg/status.d/tz": "Package: tzdata\n"}], 2),
        ([{"lib/apk/db/installed": APK}], 2),
    ],
)
def test_counted(layers: list[dict[str, str]], count: int, tmp_path: Path) -> None:
    assert packages(tuple(layer(tmp_path, one) for one in layers)) == count
