"""Which mains are not worth an image unless they are named. Paths and headers in, reasons out; touches nothing.

Only names are judged, so the verdict is one that a person can predict; each is told (`left_out`), and naming the folder
builds it.
"""

from __future__ import annotations

from wherry.analyze.constraint import Tags, holds, name_holds
from wherry.analyze.header import Header

EXAMPLES = frozenset(
    ("example", "examples", "sample", "samples", "demo", "demos", "tutorial", "tutorials", "quickstart", "playground")
)
TESTS = frozenset(
    (
        *(
            "test",
            "tests",
            "testing",
            "testutil",
            "testutils",
            "testhelpers",
            "e2e",
            "integration",
            "acceptance",
            "conformance",
        ),
        *(
            "fuzz",
            "fuzzing",
            "bench",
            "benches",
            "benchmark",
            "benchmarks",
            "perf",
            "mock",
            "mocks",
            "fixtures",
            "smoketest",
        ),
    )
)
TOOLS = frozenset(
    (
        "tool",
        "tools",
        "hack",
        "script",
        "scripts",
        "dev",
        "devtools",
        "ci",
        "misc",
        "doc",
        "docs",
        "website",
        "magefiles",
        "third_party",
    )
)
GENERATORS = frozenset(("gen", "generate", "generator", "generators", "codegen", "docgen", "gendoc", "gendocs"))
GENERATOR_STARTS = ("gen-", "gen_", "generate-", "generate_", "docgen-", "mkdoc")
#: Folders whose children are programs, whatever they are called.
PROGRAMS = frozenset(("cmd", "cmds", "apps", "services"))

RULES = (
    (EXAMPLES, "an example"),
    (TESTS, "made for tests"),
    (TOOLS, "a tool of the project itself"),
    (GENERATORS, "a generator"),
)


def by_path(path: str, *, named: int = 0) -> str:
    """The reason to leave out a main in the folder `path` (relative); empty when there is none. The first `named` parts
    were named by the user, so they are no reason.
    """
    parts = () if path == "." else tuple(path.split("/"))
    for number, part in tuple(enumerate(parts))[named:]:
        if part == "testdata":
            return "test data"
        if part.startswith("_"):
            return "Go leaves out folders that begin with _"
        if part == "vendor":
            return "somebody else's, in vendor"
        if part == "internal":
            return "internal to the project"
        is_program = number > 0 and parts[number - 1] in PROGRAMS
        reason = "" if is_program else next((why for names, why in RULES if part.lower() in names), "")
        if (
            not reason
            and number == len(parts) - 1
            and (part.lower() in GENERATORS or part.lower().startswith(GENERATOR_STARTS))
        ):
            reason = "a generator"
        if reason:
            return f"{reason} ({part}/)"
    return ""


def by_files(files: tuple[tuple[str, Header], ...], tags: Tags) -> str:
    """The reason why no `package main` file of a folder is in this build; empty when one is."""
    mains = tuple((name, header) for name, header in files if header.package == "main")
    if any(name_holds(name, tags) and holds(header.constraint, tags) for name, header in mains):
        return ""
    name, header = mains[0]
    if is_script(header):
        return f"{name} is run by hand or by go generate: //go:build {header.constraint}"
    if header.constraint and not holds(header.constraint, tags):
        return f"excluded by build tags: //go:build {header.constraint[:80]}"
    return f"excluded by its name: {name}"


def is_script(header: Header) -> bool:
    """`//go:build ignore` and its like: nobody ever sets these tags."""
    return header.constraint in (
        "ignore",
        "(ignore)",
        "((ignore))",
        "none",
        "generate",
        "tools",
        "mage",
        "script",
        "never",
    )
