"""A module proxy in a folder (go.dev/ref/mod#goproxy-protocol), so that no test needs the network. Texts in, folders out."""

from __future__ import annotations

import json
import zipfile
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
