"""A module proxy in a folder (go.dev/ref/mod#goproxy-protocol), so that no test needs the network. Texts in, folders out."""

from __future__ import annotations

import contextlib
import functools
import json
import threading
import zipfile
from collections.abc import Iterator
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path


def publish(proxy: Path, module: str, version: str, files: dict[str, str]) -> str:
    """Adds `module@version` to the proxy and returns the GOPROXY value. go.mod is made when it is not among the files."""
    folder = proxy / module / "@v"
    folder.mkdir(parents=True, exist_ok=True)
    files = {"go.mod": f"module {module}\n\ngo 1.24\n", **files}
    (folder / f"{version}.info").write_text(json.dumps({"Version": version, "Time": "2026-01-02T03:04:05Z"}))
    (folder / f"{version}.mod").write_text(files["go.mod"])
    with zipfile.ZipFile(folder / f"{version}.zip", "w") as archive:
        for name, text in files.items():
            archive.writestr(f"{module}@{version}/{name}", text)
    with (folder / "list").open("a") as file:
        file.write(f"{version}\n")
    return f"file://{proxy}"


@contextlib.contextmanager
def counted(proxy: Path) -> Iterator[tuple[str, list[str]]]:
    """The proxy over HTTP: its GOPROXY value, and the paths that it was asked for, in order."""
    asked: list[str] = []

    class Handler(SimpleHTTPRequestHandler):
        def do_GET(self) -> None:
            asked.append(self.path)
            super().do_GET()

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), functools.partial(Handler, directory=str(proxy)))
    thread = threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}", asked
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
