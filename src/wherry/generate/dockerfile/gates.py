"""The gates of the variant `full`: vet, tests, known vulnerabilities. A draft in, text out; touches nothing.

BuildKit leaves out every stage that the image does not need, so a gate counts only where the image is made from its outcome.
"""

from __future__ import annotations

from typing import Final

from wherry.formats import dockerfile
from wherry.generate.dockerfile import compiling, final
from wherry.generate.dockerfile.compiling import DEPENDENCIES, cache, source_mounts, tags
from wherry.generate.dockerfile.draft import Draft, told
from wherry.generate.names import MODULES
from wherry.generate.shell import beside_module, packages
from wherry.generate.tools import GOVULNCHECK, pinned

CHECKED: Final = "checked"
VET: Final = "vet"
TEST: Final = "test"
VULNERABILITIES: Final = "vuln"
_PASSED: Final = "/passed"
_COVERAGE: Final = "/coverage.out"


def vet(draft: Draft) -> str:
    """`go vet`."""
    command = f"{_words('go vet', *_tags(draft), *_packages(draft))} && touch {_PASSED}"
    return "\n".join((f"FROM {DEPENDENCIES} AS {VET}", dockerfile.run(source_mounts(draft), command)))


def test(draft: Draft) -> str:
    """The tests with the race detector, which needs cgo, and how much of the code they run. Also where there are none yet: the
    first one shall be run, and make no file stale."""
    command = _words(
        "CGO_ENABLED=1 go test",
        *_tags(draft),
        "-race",
        "-cover",
        f"-coverprofile={_COVERAGE}",
        *_packages(draft),
        "&&",
        f"touch {_COVERAGE} {_PASSED}",  # Go before 1.22 writes no coverage of no tests
    )
    return "\n".join(
        (
            dockerfile.comment("Tests may write beside the sources: it is thrown away."),
            f"FROM {DEPENDENCIES} AS {TEST}",
            dockerfile.run(source_mounts(draft, writable=True), command),
            "",
            dockerfile.comment("docker build --target coverage --output . . leaves coverage.out here."),
            "FROM scratch AS coverage",
            f"COPY --from={TEST} {_COVERAGE} /",
        )
    )


def vulnerabilities(draft: Draft) -> str:
    """Known vulnerabilities that the programs can reach. No answer is a failure, too."""
    sources = draft.application.sources
    tool = f"go run {pinned(GOVULNCHECK, sources.go)}"
    command = _words(f'{tool} -db="$GOVULNDB"', *_tags(draft), *_searched(draft), f"&& touch {_PASSED}")
    mounts = source_mounts(draft)
    if sources.vendored:
        mounts = (cache(MODULES), *mounts)
    reason = (
        "Ends the build for a known vulnerability that the code can reach, and when the database cannot be asked.\n"
        f"Docker remembers the answer while the sources stay the same: --no-cache-filter {VULNERABILITIES} asks anew."
    )
    return "\n".join(
        (
            dockerfile.comment(reason),
            f"FROM {DEPENDENCIES} AS {VULNERABILITIES}",
            "ARG GOVULNDB=https://vuln.go.dev",
            dockerfile.run(mounts, command),
        )
    )


def checked(draft: Draft) -> str:  # noqa: ARG001 - a stage
    """The programs, once every gate has let them pass; the gates and the compiler work side by side."""
    gates = (VET, TEST, VULNERABILITIES)
    return "\n".join(
        (
            dockerfile.comment("The image is made from here, so no gate can be left out."),
            f"FROM {compiling.STAGE} AS {CHECKED}",
            *(f"COPY --from={gate} {_PASSED} {_PASSED}/{gate}" for gate in gates),
        )
    )


def image(draft: Draft) -> str:
    """The image, from programs that passed."""
    return final.final(draft, CHECKED)


def _tags(draft: Draft) -> tuple[str, ...]:
    return tuple(dockerfile.shell(told(one, "build.tags")) for one in tags(draft))


def _searched(draft: Draft) -> tuple[str, ...]:
    """The programs; in a workspace from the folder of a go.mod, without which govulncheck does not start."""
    programs, folder = draft.application.programs, beside_module(draft.application)
    here = tuple(one.package for one in programs)
    words = here if folder == "." else ("-C", folder, *(one.import_path for one in programs))
    return tuple(dockerfile.shell(told(one, "a package")) for one in words)


def _packages(draft: Draft) -> tuple[str, ...]:
    return tuple(dockerfile.shell(told(one, "a folder")) for one in packages(draft.application))


def _words(*words: str) -> str:
    return dockerfile.flowed(words, "  ")
