"""What a disk says no to, and what helps."""

from __future__ import annotations

import errno
import os
from pathlib import Path

import pytest

from wherry.errors import UnavailableError
from wherry.kit.files import disk_errors


@pytest.mark.parametrize(
    ("number", "mend"),
    [
        (errno.ENOSPC, "free space"),
        (errno.EDQUOT, "free space"),
        (errno.EROFS, "mount it writable"),
        (errno.EACCES, "allow it to your user"),
        (errno.EPERM, "allow it to your user"),
        (errno.ENOTDIR, "see what is there"),
    ],
)
def test_what_helps_is_that_of_the_error(number: int, mend: str) -> None:
    with pytest.raises(UnavailableError) as caught, disk_errors(Path("/somewhere")):
        raise OSError(number, os.strerror(number))
    assert caught.value.next == (f"{mend}, or choose another place, then try again",)
    assert os.strerror(number) in caught.value.message
