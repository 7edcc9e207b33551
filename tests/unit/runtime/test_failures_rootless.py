"""What runc 1.1.15 and crun 1.21 said on Linux 6.12 where ordinary users get no user namespaces."""

from __future__ import annotations

import pytest

from wherry.errors import UnavailableError
from wherry.runtime.failures import failure

SAID = {
    "runc, switched off": "nsexec-1[165]: failed to unshare user namespace: Operation not permitted\n"
    "nsexec-0[159]: failed to sync with stage-1: next state: Success",
    "runc, none left": "nsexec-1[201]: failed to unshare user namespace: No space left on device",
    "crun, switched off": "clone: Operation not permitted",
    "crun, none left": "clone: No space left on device",
}


@pytest.mark.parametrize("said", SAID.values(), ids=SAID)
def test_no_user_namespaces(said: str) -> None:
    error = failure(said)
    assert isinstance(error, UnavailableError)
    assert error.name == "no-user-namespaces"
