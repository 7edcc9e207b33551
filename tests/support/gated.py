"""A repository that can be made to fail each gate of the variant `full`, and what it depends on. A folder in; sources, a module
proxy and a vulnerability database there out.

The database is laid out as Go's (go.dev/doc/security/vuln/database#api): it says that `leaky.Leak` is bad, and not `leaky.Fine`.
"""

from __future__ import annotations

import gzip
import json
import os
import subprocess
from dataclasses import dataclass
from pathlib import Path

from tests.support.examples import commit
from tests.support.modules import publish

ID, DAY = "GO-2026-9001", "2026-01-02T03:04:05Z"
LEAKY = {
    "leaky.go": '// Package leaky has a known hole.\npackage leaky\n\n// Leak has it.\nfunc Leak() string { return "leak" }\n\n'
    '// Fine has not.\nfunc Fine() string { return "fine" }\n'
}
MAIN = """// Command gated says a word.
package main

import (
	"fmt"

	"example.com/gated/counting"
	"{module}"
)

func main() {{ fmt.Println(leaky.Fine(), counting.Next()) }}
"""
COUNTING = """// Package counting counts.
package counting

var count int

// Next is one more than before.
func Next() int {
	count++
	return count
}
"""
TEST = """package counting

import "testing"

func TestNext(t *testing.T) {
	first := Next()
	if second := Next(); second != first+1 {
		t.Errorf("%d after %d", second, first)
	}
}
"""
#: Gate → the file that makes it fail, what is replaced there and by what, and what the build then says.
FAULTS = {
    "vet": ("counting/counting.go", "\tcount++", "\tcount++\n\tcount = count", "self-assignment of count"),
    "test": ("counting/counting.go", "count++", "count += 2", "4 after 2"),
    "race": ("counting/counting_test.go", "first := Next()", "go Next()\n\tfirst := Next()", "DATA RACE"),
    "vuln": ("main.go", "leaky.Fine()", "leaky.Leak()", ID),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Gated:
    """The sources, and where everything about them is."""

    root: Path
    """In git."""
    published: tuple[Path, ...]
    """For the hub: the module and the database."""
    environment: dict[str, str]
    """For a Go on this machine, which shall not keep what is made up."""


def gated(folder: Path, module: str = "example.com/leaky") -> Gated:
    """Sources that pass every gate, with `module`."""
    root, proxy, database = folder / "gated", folder / "proxy", folder / "database"
    (root / "counting").mkdir(parents=True)
    texts = {"main.go": MAIN.format(module=module), "counting/counting.go": COUNTING, "counting/counting_test.go": TEST}
    for name, text in texts.items():
        (root / name).write_text(text)
    (root / "go.mod").write_text(f"module example.com/gated\n\ngo 1.25\n\nrequire {module} v1.0.0\n")
    environment = {"GOPROXY": publish(proxy, module, "v1.0.0", LEAKY), "GOMODCACHE": str(folder / "modules")}
    tidying = {**os.environ, **environment, "GONOSUMDB": module, "GOFLAGS": "-mod=mod -modcacherw"}
    subprocess.run(["go", "mod", "tidy"], cwd=root, env=tidying, check=True, capture_output=True)
    write_database(database, module)
    return Gated(root=commit(root), published=(proxy, database), environment=environment)


def spoil(root: Path, gate: str) -> str:
    """Makes the gate fail; what it will say."""
    name, old, new, said = FAULTS[gate]
    text = (root / name).read_text()
    assert old in text
    (root / name).write_text(text.replace(old, new))
    return said


def write_database(folder: Path, module: str) -> Path:
    """What is known of vulnerabilities: one, in `module`."""
    affected = {
        "package": {"name": module, "ecosystem": "Go"},
        "ranges": [{"type": "SEMVER", "events": [{"introduced": "0"}]}],
        "ecosystem_specific": {"imports": [{"path": module, "symbols": ["Leak"]}]},
    }
    entry = {
        "schema_version": "1.3.1",
        "id": ID,
        "modified": DAY,
        "published": DAY,
        "summary": "A hole",
        "affected": [affected],
    }
    documents = {
        "index/db": {"modified": DAY},
        "index/modules": [{"path": module, "vulns": [{"id": ID, "modified": DAY}]}],
        f"ID/{ID}": entry,
    }
    for name, document in documents.items():
        path = folder / f"{name}.json.gz"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(gzip.compress(json.dumps(document).encode()))
    return folder
