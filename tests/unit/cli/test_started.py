"""What is said of a container before it starts, and of its ports once it has begun."""

from __future__ import annotations

import pytest

from tests.unit.cli.test_output import sink
from wherry.cli.containers import show_decided, show_started
from wherry.model.container import Container, Network, Publish, User
from wherry.model.plan import Decision
from wherry.oci.platform import parse
from wherry.runtime.folders import Record

OUTER = (Publish(host_port=9000, port=8080),)


@pytest.mark.parametrize(
    ("ports", "publish", "network", "said"),
    [
        (("8080/tcp", "9090/tcp"), (), "own", "-p 8080 does that"),
        (("8080/tcp",), (), "out", "-p 8080 does that"),
        (("8080/tcp",), OUTER, "own", ""),
        (("8080/tcp",), (), "host", ""),
        (("8080/tcp",), (), "none", ""),
        (("53/udp",), (), "own", ""),
        ((), (), "own", ""),
    ],
)
def test_ports_that_nobody_can_reach(
    ports: tuple[str, ...], publish: tuple[Publish, ...], network: Network, said: str
) -> None:
    output, out, err = sink()
    container = Container(
        name="api", image="api:1", platform=parse("linux/amd64"), arguments=("/app/api",), user=User(uid=1, gid=1),
        ports=ports, publish=publish, network=network,
    )  # fmt: skip
    show_started(Record(id="a", engine="runc", container=container), output)
    assert (out.getvalue(), said in err.getvalue(), bool(err.getvalue())) == ("", True, bool(said))


@pytest.mark.parametrize(
    ("value", "said"), [("from 893124604", False), ("this machine's", True), ("65532 is 1000", True)]
)
def test_ids_that_are_somebodys_are_told(value: str, said: bool) -> None:
    output, _, err = sink()
    rows = (
        Decision(name="userns", value=value, reason="a volume may be written to"),
        Decision(name="gomemlimit", value="57600KiB", reason="90% of the limit, which Go does not read"),
        Decision(name="gomaxprocs", value="2", reason="the limit of 2 processors"),
    )
    container = Container(
        name="api", image="api:1", platform=parse("linux/amd64"), arguments=("/app/api",), user=User(uid=1, gid=1),
        decisions=rows,
    )  # fmt: skip
    show_decided(container, output)
    assert (value in err.getvalue(), "a volume may be written to" in err.getvalue()) == (said, said)
    assert "  heap      GOMEMLIMIT=57600KiB         90% of the limit, which Go does not read\n" in err.getvalue()
    assert "the limit of 2 processors" in err.getvalue()


def test_where_it_answers_stands_under_what_was_decided() -> None:
    """Though it is told later, and beside other rows than the widest."""
    output, _, err = sink()
    container = Container(
        name="api", image="api:1", platform=parse("linux/amd64"), arguments=("/app/api",), user=User(uid=1, gid=1),
        decisions=(Decision(name="writable", value="/tmp", reason="in memory"),),
    )  # fmt: skip
    show_decided(container, output)
    addresses = ("127.0.0.1:9000->8080/tcp",)
    show_started(Record(id="a", engine="runc", container=container, addresses=addresses), output)
    writable, port = err.getvalue().splitlines()[-2:]
    assert port.index("http://127.0.0.1:9000") == writable.index("/tmp")
