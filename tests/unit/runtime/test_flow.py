"""What is known at a call: made-up functions of a few operations, one for each way that a number can come there."""

from __future__ import annotations

from collections.abc import Set as AbstractSet

from wherry.runtime.ceiling.amd64 import CONVENTION
from wherry.runtime.ceiling.code import Cell, Flow, Op, Place, Site, Source, Sum, Values, start, value

RAX, RSP = Place(register="rax"), Place(register="rsp")


def slot(offset: int, size: int = 8) -> Place:
    return Place(register="rsp", memory=True, offset=offset, size=size)


def put(at: int, into: Place, source: Source) -> Op:
    return Op(kind="set", address=at, into=into, source=source)


def sites(*ops: Op, read: dict[int, int] | None = None) -> list[Site]:
    flow = Flow(list(ops), (0, 100), CONVENTION, (read or {}).get)
    flow.entries[0] = start(CONVENTION)
    return flow.sites()


def at_kernel(*ops: Op, read: dict[int, int] | None = None) -> AbstractSet[object] | None:
    """What rax may be at the only system call."""
    (site,) = (site for site in sites(*ops, read=read) if site.kind == "kernel")
    return value(RAX, site.state)


KERNEL = Op(kind="kernel", address=50)
END = Op(kind="end", address=60)


def test_a_constant() -> None:
    assert at_kernel(put(0, RAX, 5), KERNEL, END) == {5}


def test_what_was_never_set_is_the_functions_argument() -> None:
    assert at_kernel(KERNEL, END) == {("entry", "rax")}
    assert at_kernel(put(0, RAX, slot(8)), KERNEL, END) == {("entry", 8)}


def test_through_the_stack() -> None:
    down = put(0, RSP, Sum(register="rsp", offset=-16))
    assert at_kernel(down, put(1, slot(8), 7), put(2, RAX, slot(8)), KERNEL, END) == {7}
    assert at_kernel(down, put(2, RAX, slot(24)), KERNEL, END) == {("entry", 8)}


def test_a_call_destroys_registers_and_keeps_the_frame() -> None:
    call = Op(kind="call", address=3, to=500)
    spilled = (put(0, RAX, 9), put(1, slot(-8), RAX), call)
    assert at_kernel(*spilled, KERNEL, END) is None
    assert at_kernel(*spilled, put(4, RAX, slot(-8)), KERNEL, END) == {9}


def test_the_kernel_destroys_rax() -> None:
    first = Op(kind="kernel", address=2)
    found: list[Values] = [value(RAX, site.state) for site in sites(put(0, RAX, 1), first, KERNEL, END)]
    assert found == [frozenset((1,)), None]


def test_both_ways_of_a_branch() -> None:
    branch = Op(kind="branch", address=1, to=4)
    over = Op(kind="jump", address=3, to=50)
    assert at_kernel(put(0, RAX, 0), branch, put(2, RAX, 1), over, put(4, RAX, 2), KERNEL, END) == {1, 2}


def test_a_loop_ends() -> None:
    again = Op(kind="branch", address=2, to=1)
    assert at_kernel(put(0, RAX, 0), put(1, RAX, Sum(register="rax", offset=1)), again, KERNEL, END) is None


def test_what_is_not_reached_is_not_looked_at() -> None:
    assert [site.address for site in sites(END, KERNEL)] == []


def test_a_table_of_targets() -> None:
    jump = Op(kind="jump", address=1, table=Place(register="rbx"))
    ops = (put(0, Place(register="rbx"), 1000), jump, put(2, RAX, 1), Op(kind="jump", address=3, to=50), put(4, RAX, 2))
    assert at_kernel(*ops, KERNEL, END, read={1000: 2, 1008: 4}) == {1, 2}


def test_an_unknown_jump_may_lead_anywhere() -> None:
    jump = Op(kind="jump", address=1)
    ops = (put(0, RAX, 3), jump, put(2, RAX, 1), Op(kind="jump", address=3, to=50), put(4, RAX, 2))
    assert at_kernel(*ops, KERNEL, END) == {1, 2, 3}


def test_a_store_through_an_unknown_pointer_changes_no_slot() -> None:
    other = Place(register="rbx", memory=True)
    assert at_kernel(put(0, slot(-8), 4), put(1, other, 6), put(2, RAX, slot(-8)), KERNEL, END) == {4}


def test_an_overlapping_store_loses_the_slot() -> None:
    assert at_kernel(put(0, slot(-8), 4), put(1, slot(-6, 4), 6), put(2, RAX, slot(-8)), KERNEL, END) is None
    assert at_kernel(put(0, slot(-8), 4), put(1, slot(-16, 16), 6), put(2, RAX, slot(-8)), KERNEL, END) is None


def test_variables_keep_their_name() -> None:
    assert at_kernel(put(0, RAX, Cell(address=640)), KERNEL, END) == {("cell", 640)}


def test_a_jump_out_of_the_function_is_a_call() -> None:
    (site,) = sites(put(0, RAX, 3), Op(kind="jump", address=1, to=640))
    assert (site.to, site.tail) == (640, True)
