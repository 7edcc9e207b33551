"""Requests without a pause to the ready pods of a Service, as kube-proxy would spread them. A cluster and a Service in, what
became of each request out."""

from __future__ import annotations

import contextlib
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass, field

from tests.support.cluster import Cluster

LOOK = 0.3
"""Seconds between two looks at who is ready; kube-proxy hears of it sooner."""


@dataclass(kw_only=True)
class Calls:
    """What callers have seen so far."""

    path: str
    port: int
    addresses: tuple[str, ...] = ()
    """Of the pods that are ready, as of the last look."""
    answered: int = 0
    pods: set[str] = field(default_factory=set)
    failures: list[str] = field(default_factory=list)
    ended: threading.Event = field(default_factory=threading.Event)
    lock: threading.Lock = field(default_factory=threading.Lock)


def ready(cluster: Cluster, namespace: str, service: str) -> tuple[str, ...]:
    """Addresses of the pods that the Service leads to now."""
    slices = cluster.get("-n", namespace, "endpointslices", "-l", f"kubernetes.io/service-name={service}")["items"]
    return tuple(
        sorted(
            address
            for one in slices
            for endpoint in one["endpoints"] or ()
            if endpoint["conditions"]["ready"]
            for address in endpoint["addresses"]
        )
    )


@contextlib.contextmanager
def calling(
    cluster: Cluster, service: tuple[str, str], path: str, *, port: int = 8080, callers: int = 6
) -> Iterator[Calls]:
    """`callers` ask one after the other while the block runs; afterwards every request has its answer or is a failure."""
    calls = Calls(path=path, port=port, addresses=ready(cluster, *service))

    def look() -> None:
        while not calls.ended.wait(LOOK):
            calls.addresses = ready(cluster, *service)

    threads = [threading.Thread(target=look)]
    threads += [threading.Thread(target=_call, args=(calls, number)) for number in range(callers)]
    for one in threads:
        one.start()
    try:
        yield calls
    finally:
        calls.ended.set()
        for one in threads:
            one.join()


def _call(calls: Calls, number: int) -> None:
    turn = number
    while not calls.ended.is_set():
        turn += 1
        addresses = calls.addresses
        if not addresses:
            with calls.lock:
                calls.failures.append("nobody is ready")
            time.sleep(LOOK)
            continue
        address = addresses[turn % len(addresses)]
        try:
            with urllib.request.urlopen(f"http://{address}:{calls.port}{calls.path}", timeout=20) as response:
                response.read()
        except (OSError, urllib.error.URLError) as error:
            with calls.lock:
                calls.failures.append(f"{address}: {error}")
        else:
            with calls.lock:
                calls.answered += 1
                calls.pods.add(address)
