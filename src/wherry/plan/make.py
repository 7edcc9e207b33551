"""The whole plan: chooses the mains, asks every decision about each, and groups what is to be compiled. Inputs in, a Plan
out; touches nothing."""

from __future__ import annotations

import msgspec

from wherry.errors import UsageError
from wherry.kit.text import closest
from wherry.model.plan import Compilation, Decision, Hook, ImagePlan, Plan
from wherry.model.project import Main
from wherry.plan import (
    choose,
    compilations,
    created,
    environment,
    flags,
    gotoolchain,
    hooks,
    image,
    name,
    template,
    version,
)
from wherry.plan.answer import Answer, Facts, Ledger
from wherry.plan.inputs import PlanInputs
from wherry.plan.tiers import effective


def make_plan(inputs: PlanInputs) -> Plan:
    """Every decision about a build, each with its reason. Raises one WherryError, or Several when there is more to mend."""
    mains = choose.decide(inputs)
    ledger = Ledger()
    chosen = ledger.take(mains)
    ledger.errors += _strange_mains(inputs)
    toolchain = ledger.ask(lambda: gotoolchain.decide(inputs), "local")
    drafts = _drafts(inputs, chosen, toolchain, ledger)
    settings = tuple(effective(inputs.tiers, choose.names_of(main)) for main in chosen)
    hooked: tuple[Hook, ...] = ledger.ask(lambda: hooks.decide(inputs, settings), ())
    ledger.errors += name.check_same(
        tuple((draft.image.name, main) for draft, main in zip(drafts, chosen, strict=True))
    )
    ledger.errors += name.check_same_references(tuple((one.image.name, one.image.references) for one in drafts))
    units = tuple(unit for draft in drafts for unit in draft.units)
    grouped: tuple[Compilation, ...] = ledger.ask(lambda: Answer(value=compilations.group(units)), ())
    platforms = tuple(dict.fromkeys(unit.platform for unit in units))
    user = inputs.toolchain.environment
    ledger.findings += flags.ignored_settings(dict(user).get("GOFLAGS", ""), environment.ignored(user, platforms))
    ledger.findings += template.unset(inputs)
    ledger.close()
    shared, images = _shared(drafts)
    return Plan(
        root=inputs.project.root,
        toolchain=inputs.toolchain,
        hooks=hooked,
        compilations=grouped,
        images=images,
        left_out=inputs.project.left_out,
        decisions=(*ledger.decisions, *shared),
        findings=(*inputs.project.findings, *ledger.findings),
    )


def _drafts(inputs: PlanInputs, chosen: tuple[Main, ...], toolchain: str, ledger: Ledger) -> tuple[image.Draft, ...]:
    when = ledger.ask(lambda: created.decide(inputs), 0)
    versions = version.of_each(inputs, tuple(main.module for main in chosen), ledger)
    drafts = []
    for main in chosen:
        settings = effective(inputs.tiers, choose.names_of(main))
        own = versions[main.module]
        facts = Facts(inputs=inputs, main=main, settings=settings, version=own.value, created=when)
        draft = image.decide(facts, toolchain, ledger)
        told = msgspec.structs.replace(draft.image, decisions=(*own.decisions, *draft.image.decisions))
        drafts.append(msgspec.structs.replace(draft, image=told))
    return tuple(drafts)


def _shared(drafts: tuple[image.Draft, ...]) -> tuple[tuple[Decision, ...], tuple[ImagePlan, ...]]:
    """The decisions about compiling that hold for all images, once; and the images with those that are their own."""
    shared = tuple(one for one in drafts[0].build if all(one in draft.build for draft in drafts))
    images = []
    for draft in drafts:
        own = tuple(one for one in draft.build if one not in shared)
        images.append(msgspec.structs.replace(draft.image, decisions=(*draft.image.decisions, *own)))
    return shared, tuple(images)


def _strange_mains(inputs: PlanInputs) -> tuple[UsageError, ...]:
    """An error for each `[main.NAME]` that names no main; only where all mains of the repository are known."""
    request = inputs.request
    if request.packages and (request.packages, request.directory) != (("./...",), "."):
        return ()
    known = tuple(name for main in inputs.project.mains for name in choose.names_of(main))
    left_out = {one.directory for one in inputs.project.left_out}
    errors = []
    for tier in inputs.tiers:
        for key in tier.settings.main or {}:
            if key in known or key.removeprefix("./") in left_out:
                continue
            place = next(
                (f"{place}   {text}" for keys, place, text in tier.places if keys == ("main", key)), f"main.{key}"
            )
            near = closest(key, known)
            example = next((f"./{main.directory}" for main in inputs.project.mains), "./cmd/api")
            step = f'did you mean [main."{near}"]?' if near else f'name it by its folder, like [main."{example}"]'
            errors.append(
                UsageError("no-such-main", f"[main.{key}] names no program of this repository", where=place, next=step)
            )
    return tuple(errors)
