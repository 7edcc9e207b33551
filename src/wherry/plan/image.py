"""One main's image, and how its binaries are compiled: every decision about it, asked in turn. Facts in, a draft out; touches
nothing."""

from __future__ import annotations

from functools import partial

import msgspec

from wherry.errors import UsageError
from wherry.kit.value import Value
from wherry.model.plan import BaseChoice, Decision, ImagePlan, Packing, Pairs, Target
from wherry.model.project import Main
from wherry.oci.platform import Platform
from wherry.plan import (
    assets,
    base,
    cgo,
    choose,
    environment,
    flags,
    health,
    labels,
    ldflags,
    name,
    packing,
    platforms,
    ports,
    start,
    user,
    version,
    writable,
)
from wherry.plan.answer import Answer, Facts, Ledger, where
from wherry.plan.compilations import Unit
from wherry.plan.tiers import Keys, effective


class Core(Value, frozen=True, kw_only=True):
    """What the other decisions about an image need."""

    name: str
    targets: tuple[Target, ...]
    platforms: tuple[Platform, ...]
    base: BaseChoice

    @property
    def programs(self) -> tuple[str, ...]:
        return tuple(target.name for target in self.targets)


class Draft(Value, frozen=True, kw_only=True):
    """An image decided, and what must be compiled for it; `build` are the decisions about compiling its first main."""

    image: ImagePlan
    units: tuple[Unit, ...]
    build: tuple[Decision, ...] = ()


def decide(facts: Facts, toolchain: str, ledger: Ledger) -> Draft:
    """The draft of one main's image; its mistakes go into `ledger`, so that a run shows all of them."""
    about_image, about_build = Ledger(), Ledger()
    core = _core(facts, about_image)
    image = _image(facts, core, about_image)
    units: list[Unit] = []
    for target in core.targets:
        own = facts if target.import_path == facts.main.import_path else _of(facts, target)
        heard = about_build if own is facts else Ledger()
        units += _units(own, target, core, (toolchain, heard))
        if heard is not about_build:
            about_build.findings += heard.findings
            about_build.errors += heard.errors
    ledger.errors += (*about_image.errors, *about_build.errors)
    findings = (*about_image.findings, *about_build.findings)
    image = msgspec.structs.replace(image, decisions=tuple(about_image.decisions), findings=findings)
    return Draft(image=image, units=tuple(units), build=tuple(about_build.decisions))


def _core(facts: Facts, ledger: Ledger) -> Core:
    return Core(
        name=ledger.ask(lambda: name.decide(facts), facts.main.name),
        targets=ledger.ask(lambda: _targets(facts), (_target(facts.main),)),
        platforms=ledger.ask(lambda: platforms.decide(facts), (platforms.host(facts.inputs),)),
        base=ledger.ask(lambda: base.decide(facts), BaseChoice(name="static")),
    )


def _image(facts: Facts, core: Core, ledger: Ledger) -> ImagePlan:
    who = ledger.ask(lambda: user.decide(facts), user.DEFAULT)
    declared: tuple[str, ...] = ledger.ask(lambda: ports.decide(facts), ())
    check = ledger.ask(lambda: health.decide(facts, declared, core.programs), None)
    ledger.findings += health.unsupported(facts, check, core.platforms)
    kept: tuple[str, ...] = ledger.ask(lambda: start.volumes(facts), ())
    return ImagePlan(
        name=core.name,
        version=version.tag(facts.version),
        full_version=facts.version or version.UNKNOWN,
        references=ledger.ask(lambda: name.references(facts, core.name), ()),
        targets=core.targets,
        platforms=core.platforms,
        base=core.base,
        user=who,
        environment=ledger.ask(lambda: start.environment(facts, core.name), ()),
        labels=ledger.ask(lambda: labels.decide(facts, core.name, core.base.name), ()),
        annotations=ledger.ask(lambda: labels.decide_annotations(facts, core.name), ()),
        entrypoint=ledger.ask(lambda: start.entrypoint(facts, core.programs), ()),
        arguments=ledger.ask(lambda: start.args(facts), ()),
        working_directory=ledger.ask(lambda: start.workdir(facts), ""),
        ports=declared,
        volumes=kept,
        stop_signal=ledger.ask(lambda: start.stop_signal(facts), ""),
        writable=ledger.ask(lambda: writable.decide(facts, kept), ()),
        assets=ledger.ask(lambda: assets.decide(facts, core.programs), ()),
        health=check,
        created=facts.created,
        packing=ledger.ask(lambda: packing.decide(facts), Packing()),
    )


def _targets(facts: Facts) -> Answer[tuple[Target, ...]]:
    """The main's own binary first, then those that the settings put beside it. UsageError [no-such-main], [same-name]."""
    project, given = facts.inputs.project, facts.settings.image.binaries or ()
    mains = {facts.main.import_path: facts.main}
    for number, word in enumerate(given):
        keys: Keys = ("image", "binaries", number)
        source = facts.settings.source(*keys)
        found = choose.find(project, word, source.directory)
        if not found:
            raise choose.no_such_main(project, word, source.directory, where(source, keys))
        mains |= {main.import_path: main for main in found}
    targets = tuple(map(_target, mains.values()))
    if len({target.name for target in targets}) < len(targets):
        source = facts.settings.source("image", "binaries")
        names = ", ".join(target.import_path for target in targets)
        raise UsageError("same-name", f"two of {names} have one name", where=where(source, ("image", "binaries")))
    if len(targets) == 1:
        return Answer(value=targets)
    source = facts.settings.source("image", "binaries")
    value = ", ".join(target.name for target in targets)
    decision = Decision(name="binaries", value=value, reason="as you set it", origin=source.origin, place=source.place)
    return Answer(value=targets, decisions=(decision,))


def _target(main: Main) -> Target:
    return Target(import_path=main.import_path, name=main.name, file=main.name)


def _of(facts: Facts, target: Target) -> Facts:
    """The same facts about another main of the project."""
    main = next(main for main in facts.inputs.project.mains if main.import_path == target.import_path)
    settings = effective(facts.inputs.tiers, choose.names_of(main))
    own = version.decide(facts.inputs, main.module).value
    return msgspec.structs.replace(facts, main=main, settings=settings, version=own)


def _units(facts: Facts, target: Target, core: Core, to: tuple[str, Ledger]) -> tuple[Unit, ...]:
    """One unit for each platform; nothing when a decision failed."""
    toolchain, ledger = to
    switches = ledger.ask(lambda: flags.decide(facts), flags.Flags(flags=()))
    c_code = ledger.ask(lambda: cgo.decide(facts, switches, core.platforms, core.base.name), cgo.Cgo())
    variables: Pairs = ledger.ask(lambda: environment.decide(facts, toolchain), ())
    tags = tuple(dict.fromkeys((*switches.tags, *c_code.tags)))
    units = []
    for platform in core.platforms:
        heard = ledger if platform == core.platforms[0] else Ledger()
        linking = heard.ask(partial(ldflags.decide, facts, platform, static=c_code.static), "")
        units.append(
            Unit(
                target=target,
                platform=platform,
                directory=environment.directory(facts.inputs.project, facts.main),
                flags=(*switches.flags, *((f"-tags={','.join(tags)}",) if tags else ())),
                ldflags=linking,
                environment=(*platforms.go_variables(platform), *c_code.environment, *variables),
                cgo=c_code.on,
            )
        )
    return tuple(units)
