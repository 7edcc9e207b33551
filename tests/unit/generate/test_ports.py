"""Each container's port on this machine: its own number, or one that nobody has."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from wherry.generate.ports import published


@pytest.mark.parametrize(
    ("wanted", "given"),
    [
        (("8080/tcp", "8080/tcp", "8080/udp"), (8080, 8081, 8080)),
        (("65535/tcp", "65535/tcp", "65535/tcp"), (65535, 65534, 65533)),
        (("65534/tcp", "65534/tcp", "65535/tcp", "1/tcp"), (65534, 65535, 65533, 1)),
    ],
)
def test_its_own_number_or_the_next(wanted: tuple[str, ...], given: tuple[int, ...]) -> None:
    found = published((f"s{number}", port) for number, port in enumerate(wanted))
    assert tuple(one.host_port for one in found) == given


@given(st.lists(st.tuples(st.sampled_from((1, 2, 80, 65534, 65535)), st.sampled_from(("tcp", "udp"))), max_size=12))
def test_no_two_have_one(wanted: list[tuple[int, str]]) -> None:
    found = published((f"s{number}", f"{port}/{protocol}") for number, (port, protocol) in enumerate(wanted))
    assert len({(one.host_port, one.port.partition("/")[2]) for one in found}) == len(wanted)
    assert all(0 < one.host_port < 65536 for one in found)
