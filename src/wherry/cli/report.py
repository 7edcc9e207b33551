"""A build's report as text: who it is about, what was decided, warnings, totals, what next. Values in, lines out."""

from __future__ import annotations

import shlex

from wherry.cli.output import Output
from wherry.flows.report import BuildReport, ImageReport
from wherry.kit.text import megabytes, seconds
from wherry.model.image import Layer, Published
from wherry.model.plan import Decision, Plan

#: Decisions that a person wants to see each time, when they say something.
SHOWN = ("cgo", "user", "port", "health", "writable", "assets")
SHORT = {"writable": "writes"}
#: Values that say nothing worth a row.
QUIET = ("none", "off")
MOST_FINDINGS = 3


def show_build(report: BuildReport, output: Output, *, results: bool = True, timings: bool = False) -> None:
    """The whole story of a build on stderr, its results on stdout."""
    if len(report.images) == 1:
        show_one(report, report.images[0], output)
    else:
        show_many(report, output)
    findings = report.all_findings
    for finding in findings[:MOST_FINDINGS]:
        output.finding(finding)
    if len(findings) > MOST_FINDINGS:
        output.line(f"{len(findings) - MOST_FINDINGS} more: wherry plan --why")
    output.line(totals(report))
    if report.placed:
        output.line(report.placed)
    for place in (place for image in report.images for place in image.published if place.renamed):
        output.line(f"Docker's store calls {place.digest}")
        output.line(f"by its config, {place.renamed}")
    output.next(*next_steps(report))
    if timings:
        for timing in report.timings:
            output.row(timing.phase, f"{timing.seconds:8.3f} s")
        if report.forgotten:
            output.row("again", f"would do all of it: {report.forgotten}")
    for place in (place for image in report.images for place in image.published if results):
        output.result(place.reference)


def show_one(report: BuildReport, image: ImageReport, output: Output) -> None:
    """The head and the rows of a single image."""
    output.line(head(report.plan, image))
    gap(output)
    for role in ("base", "assets", "app"):
        layers = [layer for layer in image.built.images[0].layers if layer.role == role]
        if layers:
            output.row(
                role,
                f"{megabytes(sum(layer.unpacked_size or layer.size for layer in layers)):>9}   {_about(role, image, report)}",
                _state(layers),
            )
    for decision in shown((*report.plan.decisions, *image.plan.decisions)):
        output.row(SHORT.get(decision.name, decision.name), decision.value, because(decision))
    gap(output)


def show_many(report: BuildReport, output: Output) -> None:
    """A line an image."""
    width = max(len(image.plan.name) for image in report.images)
    for image in report.images:
        sizes = [one.size for one in image.built.images]
        platforms = ", ".join(map(str, image.plan.platforms))
        output.line(f"{image.plan.name:<{width}}  {megabytes(max(sizes)):>8} to pull   {platforms}")
    gap(output)


def gap(output: Output) -> None:
    """An empty line between blocks; none in CI logs."""
    if not output.ci:
        output.line()


def head(plan: Plan, image: ImageReport) -> str:
    """Name, version, package, Go, platforms."""
    package = image.plan.targets[0].import_path
    platforms = ", ".join(map(str, image.plan.platforms))
    return f"{image.plan.name} {image.plan.full_version}   {package}   {plan.toolchain.version}   {platforms}"


def shown(decisions: tuple[Decision, ...]) -> list[Decision]:
    """The decisions worth a row, in the order of SHOWN."""
    return [one for name in SHOWN for one in decisions if one.name == name and not one.value.startswith(QUIET)]


def because(decision: Decision) -> str:
    """Found things point to their place, guesses say so, the rest gives its reason."""
    place = str(decision.place) if decision.place else ""
    match decision.origin:
        case "guess":
            return f"guess, {place}" if place else "guess"
        case "found" | "file":
            return place or decision.reason
        case "default":
            return "default"
        case "flag" | "environment":
            return decision.reason


def totals(report: BuildReport) -> str:
    """The closing sentence: sizes, and where the time went."""
    images = [one for image in report.images for one in image.built.images]
    unpacked = sum(layer.unpacked_size or layer.size for one in images for layer in one.layers)
    many, platforms = len(report.images), len(images) // max(1, len(report.images))
    count = "" if many == 1 else f"{many} images, "
    count += "" if platforms == 1 else f"{platforms} platforms, "
    phases = sorted((one for one in report.timings if one.seconds >= 0.005), key=lambda one: -one.seconds)
    spent = ", ".join(f"{one.phase} {seconds(one.seconds)}" for one in phases[:4])
    pull = megabytes(sum(one.size for one in images))
    return f"{count}{megabytes(unpacked)}, {pull} to pull, in {seconds(report.seconds)} s" + (
        f": {spent}" if spent else ""
    )


def next_steps(report: BuildReport) -> tuple[str, ...]:
    """What works right now with what was just made: on this machine, with what it has."""
    image = report.images[0]
    place = next(iter(image.published), None)
    if place is None:
        return ()
    subject = shlex.quote(_subject(place))
    if not report.runs:
        return (f"wherry inspect {subject}",)
    ports = " ".join(f"-p {port.partition('/')[0]}" for port in image.plan.ports if not port.endswith("/udp"))
    return (f"wherry run {subject} {ports}".rstrip(), f"wherry prove {subject}")


def _subject(place: Published) -> str:
    return place.reference.partition("@")[0] if place.place.startswith("store:") else place.place


def _about(role: str, image: ImageReport, report: BuildReport) -> str:
    if role == "base":
        locked = "locked" if image.plan.base.digest else ""
        name = image.plan.base.name.removeprefix("docker://")
        return ", ".join(part for part in (name, *image.bases[:1], locked) if part)
    if role == "app":
        linked = any(binary.linked for binary in report.compiled.binaries)
        compiled = report.compiled.compiled_packages
        if compiled:
            return f"{compiled} package{'' if compiled == 1 else 's'} compiled"
        return "nothing to compile, linked" if linked else "nothing to compile"
    return ", ".join(asset.source for asset in image.plan.assets)


def _state(layers: list[Layer]) -> str:
    if any(layer.role == "base" and not layer.unpacked_size for layer in layers):
        return "not fetched"
    if all(layer.reused for layer in layers):
        return "unchanged"
    return "packed" if layers[0].history.startswith("wherry ") else "fetched"
