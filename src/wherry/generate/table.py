"""Everything that can be generated, a row each. Touches nothing."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from wherry.generate import bake, build_script, dockerignore, makefile
from wherry.generate.ci import files as ci
from wherry.generate.compose import files as compose
from wherry.generate.container_test import files as container_test
from wherry.generate.dockerfile import files as dockerfile
from wherry.generate.dockerfile.variants import NAMES as VARIANTS
from wherry.generate.health import files as health
from wherry.generate.kubernetes import files as kubernetes
from wherry.generate.names import Applications
from wherry.generate.use import Uses, nobody
from wherry.kit.value import Value
from wherry.model.file import Choice, File

Write = Callable[[Applications, Choice], tuple[File, ...]]
"""At least one application in; files out, paths relative to the first one's home. UsageError for what cannot be."""


class Writer(Value, frozen=True, kw_only=True):
    """One kind of file."""

    what: str
    help: str
    """One line, for --help."""
    write: Write
    uses: Uses = nobody
    option: str = ""
    """How a variant is chosen: `variant`, `for`, `form`; empty: there is but one."""
    variants: tuple[str, ...] = ()
    """The first is the usual one."""
    extras: tuple[tuple[str, str], ...] = ()
    """Switches, and what each does."""
    digest: bool = False
    """It names the published image, so it takes --digest."""
    release: bool = False
    """It names a version, so it takes --release; else the nearest tag's is written down."""
    dockerfiles: tuple[tuple[str, str], ...] = ()
    """By its variant or switch: the variant of the Dockerfile that its files name."""
    brings: tuple[str, ...] = ()
    """What else is made with it, where nobody wrote that by hand."""
    shared: bool = False
    """At the repository's root it is one file of all programs that build there."""


WRITERS: Final[tuple[Writer, ...]] = (
    Writer(
        what="dockerfile",
        help="A Dockerfile that makes the same program as wherry build.",
        write=dockerfile.files,
        uses=dockerfile.uses,
        option="variant",
        variants=VARIANTS,
        extras=dockerfile.EXTRAS,
        brings=("dockerignore",),
    ),
    Writer(what="dockerignore", help="What a build's context leaves out.", write=dockerignore.files, shared=True),
    Writer(
        what="compose",
        help="A compose file: the application, hardened, with the servers that it talks to.",
        write=compose.files,
        uses=compose.uses,
        option="for",
        variants=tuple(compose.PURPOSES),
        extras=(("public", "publish its ports on every address of the machine, not on loopback alone"),),
        digest=True,
        dockerfiles=(("secure", ""), ("dev", "dev")),
    ),
    Writer(
        what="kubernetes",
        help="Objects for a cluster, at the restricted level: plain YAML, kustomize or a Helm chart.",
        write=kubernetes.files,
        uses=kubernetes.uses,
        option="form",
        variants=tuple(kubernetes.FORMS),
        extras=(
            ("gateway", "an HTTPRoute from a Gateway of the cluster to it"),
            ("ingress", "an Ingress with TLS to it"),
        ),
        digest=True,
        release=True,
    ),
    Writer(
        what="bake",
        help="docker-bake.hcl: the build for docker buildx bake.",
        write=bake.files,
        uses=bake.uses,
        dockerfiles=(("", ""),),
    ),
    Writer(
        what="makefile",
        help="A Makefile: build, test and check here; images by wherry or Docker.",
        write=makefile.files,
        uses=makefile.uses,
    ),
    Writer(
        what="ci",
        help="CI: checks, the image proved, and pushed from the default branch.",
        write=ci.files,
        uses=ci.uses,
        option="for",
        variants=tuple(ci.SERVICES),
        extras=(("docker", "on GitHub: build the image from its Dockerfile, with layers kept in the registry"),),
        dockerfiles=(("docker", ""),),
    ),
    Writer(
        what="build-script",
        help="build.sh: build, scan and push with Docker.",
        write=build_script.files,
        uses=build_script.uses,
        dockerfiles=(("", ""),),
    ),
    Writer(
        what="health",
        help="internal/health, a Go package: alive, ready, started, version, draining.",
        write=health.files,
        uses=health.uses,
    ),
    Writer(
        what="container-test",
        help="A Go test that builds, runs, inspects and stops the container.",
        write=container_test.files,
        uses=container_test.uses,
        dockerfiles=(("", ""),),
    ),
)
