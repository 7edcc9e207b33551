"""python -m bench.delay UPSTREAM MILLISECONDS: a far registry. Bytes in, the same bytes out later; opens sockets.

Half of the time is added in each direction, so that each round trip takes that much longer; how much passes at once stays.
Prints its port.
"""

from __future__ import annotations

import asyncio
import sys

CHUNK = 1 << 16
#: What may be on its way at once: as much as a gigabit line holds in a tenth of a second.
WAITING = 200


async def carry(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, delay: float) -> None:
    """One direction of one connection, to its end."""
    loop, on_the_way = asyncio.get_running_loop(), asyncio.Queue[tuple[float, bytes]](WAITING)

    async def arrive() -> None:
        while True:
            due, data = await on_the_way.get()
            await asyncio.sleep(max(0.0, due - loop.time()))
            if not data:
                break
            writer.write(data)
            await writer.drain()

    arriving = asyncio.create_task(arrive())
    try:
        while data := await reader.read(CHUNK):
            await on_the_way.put((loop.time() + delay, data))
        await on_the_way.put((loop.time() + delay, b""))
        await arriving
        writer.write_eof()
    except OSError:
        arriving.cancel()


async def serve(upstream: str, delay: float) -> None:
    host, _, port = upstream.partition(":")

    async def connection(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        far_reader, far_writer = await asyncio.open_connection(host, int(port))
        await asyncio.gather(carry(reader, far_writer, delay), carry(far_reader, writer, delay))
        for one in (writer, far_writer):
            one.close()

    server = await asyncio.start_server(connection, "127.0.0.1", 0)
    print(server.sockets[0].getsockname()[1], flush=True)
    await server.serve_forever()


if __name__ == "__main__":
    asyncio.run(serve(sys.argv[1], float(sys.argv[2]) / 2000))
