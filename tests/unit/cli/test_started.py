"""What is said of a container's ports once it has begun."""

from __future__ import annotations

import pytest

from tests.unit.cli.test_output import sink
from wherry.cli.containers import show_started
from wherry.model.container import Container, Network, Publish, User
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
