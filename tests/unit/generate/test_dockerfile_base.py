"""What a Dockerfile stands on where wherry.toml says it."""

from __future__ import annotations

import pytest
from msgspec.structs import replace

from tests.support.applications import API, DIGEST, JOBS, OWN_BASE, pins
from tests.support.generated_dockerfiles import copies, only, read, text, with_runs, with_sources
from wherry.errors import UsageError
from wherry.generate.dockerfile.variants import passes_over
from wherry.model.application import Application, BaseKind, Pin
from wherry.model.plan import Health

STATIC_JOBS = with_sources(JOBS, static=True, cgo=False)
ON_IMAGE_BASE = ("base", "hardened", "full")
OF_THEIR_OWN = ("distroless", "scratch", "alpine", "debian")


def on(base: str, kind: BaseKind, reference: str = "") -> Application:
    """API with that image.base."""
    own = (Pin(role="base", reference=reference, digest=DIGEST),) if reference else ()
    return replace(API, base=base, base_kind=kind, pins=(*pins(), *own))


def base_image(application: Application, variant: str) -> str:
    """The name that BASE_IMAGE has; empty for scratch and the toolchain."""
    lines = [line for line in text(application, variant).splitlines() if line.startswith("ARG BASE_IMAGE=")]
    return lines[0].partition("=")[2] if lines else ""


@pytest.mark.parametrize("variant", ON_IMAGE_BASE)
def test_the_final_stage_stands_on_it(variant: str) -> None:
    assert base_image(JOBS, variant) == f"registry.example.com/base/go:3@{DIGEST}"
    assert only(JOBS, "FROM", variant).text == "${BASE_IMAGE} AS final"
    assert base_image(API, variant).startswith("gcr.io/distroless/static-debian13:nonroot@")
    assert base_image(on("scratch", "scratch"), variant) == ""
    assert only(on("scratch", "scratch"), "FROM", variant).text == "scratch AS final"
    older = on("alpine:3.22", "alpine", "docker.io/library/alpine:3.22")
    assert base_image(older, variant) == f"alpine:3.22@{DIGEST}"
    assert "/usr/share/zoneinfo.zip" in text(older, variant), "as the variant alpine does"


@pytest.mark.parametrize("variant", OF_THEIR_OWN)
def test_a_variant_called_after_its_base_has_that(variant: str) -> None:
    assert "registry.example.com" not in text(STATIC_JOBS, variant)
    assert passes_over(variant, JOBS)
    assert not passes_over(variant, API), "nobody chose a base"


def test_nobodys_choice_is_passed_over_elsewhere() -> None:
    assert not any(passes_over(variant, JOBS) for variant in (*ON_IMAGE_BASE, "dev", "single-stage"))
    older = on("alpine:3.22", "alpine", "docker.io/library/alpine:3.22")
    assert base_image(older, "alpine") == f"alpine:3.22@{DIGEST}"
    assert [one for one in OF_THEIR_OWN if passes_over(one, older)] == ["distroless", "scratch", "debian"]


def test_ones_own_base_is_taken_whole() -> None:
    """As wherry build does: nothing is added, its folder stays, and how the program is stopped and asked is not the base's."""
    bare = replace(STATIC_JOBS, working_directory="", runs=replace(API.runs, user=1001, group=1001, health=None))
    keywords = [one.keyword for one in read(bare, "base")]
    last = len(keywords) - keywords[::-1].index("FROM")
    assert set(keywords[last:]) == {
        "COPY",
        "ARG",
        "LABEL",
        "EXPOSE",
        "STOPSIGNAL",
        "USER",
        "HEALTHCHECK",
        "ENTRYPOINT",
        "CMD",
    }
    assert copies(bare, "base") == [
        "services/jobs/templates /srv/templates/",
        "--chmod=0444 deploy/ca.pem /etc/ssl/certs/wherry-1.pem",
        "--from=build --chmod=0555 /out/app/ /app/",
    ]
    assert only(bare, "STOPSIGNAL", "base").text == "SIGTERM"
    assert only(bare, "HEALTHCHECK", "base").text == "NONE"
    said = with_runs(bare, stop_signal="SIGINT", health=Health(command=("/bin/sh", "-c", "true")))
    assert only(said, "STOPSIGNAL", "base").text == "SIGINT"
    assert "/bin/sh" in only(said, "HEALTHCHECK", "base").text, "what it has, its users know"


def test_a_base_that_no_registry_has() -> None:
    here = replace(JOBS, base="oci:bases/web", pins=pins())
    with pytest.raises(UsageError, match="registry") as caught:
        text(here, "base")
    assert caught.value.name == "base-place"
    assert caught.value.where == ("image.base = oci:bases/web",)
    assert "BASE_IMAGE=gcr.io/distroless/base-debian13" in text(here, "distroless")


def test_scratch_has_no_c_library() -> None:
    with pytest.raises(UsageError, match="scratch has none") as caught:
        text(replace(JOBS, base="scratch", base_kind="scratch", pins=pins()), "full")
    assert (caught.value.name, caught.value.where) == ("base-libc", ("image.base = scratch",))


def test_musl_is_compiled_with_musl_whatever_the_variant() -> None:
    made = text(replace(JOBS, base="alpine", base_kind="alpine", pins=(*pins(), OWN_BASE)), "hardened")
    assert "GO_IMAGE=golang:1.26.8-alpine@" in made
    assert "apk add" in made
