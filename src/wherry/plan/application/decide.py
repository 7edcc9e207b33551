"""Each image of a plan as an Application. Touches nothing."""

from __future__ import annotations

import posixpath
from functools import partial

from msgspec.structs import replace

from wherry.errors import UsageError
from wherry.model.application import Application
from wherry.model.plan import ImagePlan, Pairs
from wherry.oci import reference
from wherry.oci.platform import Platform, parse
from wherry.plan import choose, template
from wherry.plan.answer import Answer, Ledger, refuse, where
from wherry.plan.application import numbers, pins, runs, sources
from wherry.plan.application.facts import Facts, Known
from wherry.plan.expect import decide as expected
from wherry.plan.name import legal
from wherry.plan.tiers import effective

NO_RELEASE = "0.0.0"
SOURCE_LABEL = "org.opencontainers.image.source"
USUAL = ("linux/amd64", "linux/arm64")
IMAGE_LABELS = "org.opencontainers.image."
OF_BUILDS = frozenset(("created", "revision", "source", "version"))
"""`source` is `Application.source`."""


def decide(known: Known) -> tuple[Application, ...]:
    """The applications in the plan's order. One WherryError, or Several where more is wrong: [bad-setting], [limits-conflict],
    [shell-probe], [generate-remote]."""
    ledger = Ledger()
    made = tuple(_one(_facts(known, image), ledger) for image in known.plan.images)
    ledger.close()
    return made


def _facts(known: Known, image: ImagePlan) -> Facts:
    main = next(one for one in known.project.mains if one.import_path == image.targets[0].import_path)
    return Facts(known=known, image=image, main=main, settings=effective(known.tiers, choose.names_of(main)))


def _one(facts: Facts, ledger: Ledger) -> Application:
    image, project, own = facts.image, facts.known.project, Ledger()
    origins = sources.decide(facts)
    made = Application(
        name=image.name.rpartition("/")[2],
        image=own.ask(partial(_published, facts), image.name),
        version=_release(facts),
        source=str((facts.settings.image.labels or {}).get(SOURCE_LABEL, "")),
        licences=project.licences,
        home=_home(facts, origins.directory, project.workspace),
        base=facts.settings.image.base or "static",
        base_kind=pins.base_kind(facts),
        certificates=image.base.certificates,
        platforms=_platforms(facts, origins.cgo),
        programs=sources.programs(facts, origins),
        entrypoint=image.entrypoint,
        arguments=image.arguments,
        working_directory=image.working_directory,
        labels=_labels(facts, image.labels),
        assets=image.assets,
        sources=origins,
        runs=runs.decide(facts, own),
        size_budget=own.ask(lambda: Answer(value=expected(facts.settings).expectations.size), 0),
        pins=own.ask(lambda: Answer(value=pins.decide(facts, origins)), ()),
        replicas=own.ask(partial(numbers.replicas, facts), 2),
        most_replicas=own.ask(partial(numbers.most_replicas, facts), 10),
        namespace=facts.settings.generate.namespace or "",
        host=facts.settings.generate.host or "",
        branch=facts.settings.generate.branch or "",
        gateway=facts.settings.generate.gateway or "",
    )
    ledger.errors += own.errors
    return _told(made, own)


def _told(made: Application, own: Ledger) -> Application:
    return replace(made, decisions=tuple(own.decisions), findings=tuple(own.findings))


def _published(facts: Facts) -> Answer[str]:
    """Where the image is published. UsageError [bad-setting] for what is no repository, or has a tag."""
    text, source = facts.settings.generate.image, facts.settings.source("generate", "image")
    if text is None:
        first = next(iter(facts.image.references), "")
        return Answer(value=reference.parse(first).name if first else facts.image.name)
    origin = template.Origin(keys=("generate", "image"), source=source)
    slots = template.Slots(known=(("name", facts.image.name), ("version", facts.image.version)))
    name = template.expand(text, slots, origin, clean=lambda word: "/".join(map(legal, word.split("/"))))
    try:
        parsed = reference.parse(name)
    except UsageError as error:
        raise error.at(where(source, ("generate", "image"))) from None
    if parsed.tag or parsed.digest:
        step = "leave the tag out: the version is it"
        refuse(facts.settings, ("generate", "image"), f"{text[:60]!r} has a tag or a digest", next=step)
    return Answer(value=name)


def _platforms(facts: Facts, cgo: bool) -> tuple[Platform, ...]:
    """What the settings say; else what servers are, and never what this machine is: files are the same on every one. C code is
    compiled for its own kind of machine alone."""
    if facts.settings.platforms is not None:
        return facts.image.platforms
    return tuple(map(parse, USUAL[:1] if cgo else USUAL))


def _release(facts: Facts) -> str:
    """The version of the nearest tag."""
    own = facts.known.project.version_of(facts.main.module)
    return own.tag.rpartition("/")[2].removeprefix("v") if own and own.tag else NO_RELEASE


def _home(facts: Facts, directory: str, workspace: str) -> str:
    """The folder of the wherry.toml that counts, else of the main's module."""
    told = next((one.directory for one in reversed(facts.known.tiers) if one.origin == "file" and not one.trusted), "")
    if told:
        return told
    module = next((one for one in facts.known.project.modules if one.path == facts.main.module), None)
    return posixpath.normpath(module.directory) if workspace and module else directory


def _labels(facts: Facts, labels: Pairs) -> Pairs:
    """What the settings say. Files have standard ones of their own; of these, such as differ with each commit are a build's."""
    own = facts.settings.image.labels or {}
    return tuple(
        (name, value)
        for name, value in labels
        if not name.startswith(IMAGE_LABELS) or (name in own and name.removeprefix(IMAGE_LABELS) not in OF_BUILDS)
    )
