"""A kustomize base and two overlays: dev with one copy, production with the image pinned. An application in, files out; touches
nothing."""

from __future__ import annotations

from typing import Final

from wherry.formats import yaml
from wherry.formats.yaml import Document, noted
from wherry.generate import names
from wherry.generate.kubernetes import pod, settings, words
from wherry.generate.kubernetes.objects import Object, labels, objects
from wherry.generate.kubernetes.paths import put
from wherry.model.application import Application
from wherry.model.file import File

HEADER: Final = {"apiVersion": "kustomize.config.k8s.io/v1beta1", "kind": "Kustomization"}
IMAGE: Final = ("spec", "template", "spec", "containers", 0, "image")
NOT_IN_DEV: Final = ("HorizontalPodAutoscaler", "PodDisruptionBudget")


def bases(application: Application, folder: str, extras: tuple[str, ...]) -> tuple[File, ...]:
    """`base/` with an object a file, `overlays/dev`, `overlays/production`. What the last one builds is the plain form, but for
    the ConfigMap, whose name says what is in it."""
    every = [_without_pin(application, one) for one in objects(application, extras) if one.kind != "ConfigMap"]
    made = [File(path=f"{folder}/base/{one.file}.yaml", text=yaml.dump(one.document)) for one in every]
    kustomizations = {
        "base": _base(application, every),
        "overlays/dev": _dev(application, every),
        "overlays/production": _production(application),
    }
    made += [
        File(path=f"{folder}/{place}/kustomization.yaml", text=yaml.dump(document))
        for place, document in kustomizations.items()
    ]
    return tuple(made)


def _without_pin(application: Application, one: Object) -> Object:
    if one.kind != "Deployment":
        return one
    image = noted(application.image, "Which one: the overlays say it.")
    return Object(file=one.file, document=put(one.document, IMAGE, image))


def _base(application: Application, every: list[Object]) -> Document:
    return {**HEADER, "resources": [f"{one.file}.yaml" for one in every], **_generator(application)}


def _generator(application: Application) -> dict[str, Document]:
    values = settings.plain(application)
    if not values:
        return {}
    generator = {
        "name": names.service(application),
        **({"namespace": application.namespace} if application.namespace else {}),
        "literals": [f"{name}={_quoted(value)}" for name, value in values.items()],
        "options": {"labels": labels(application)},
    }
    return {
        "configMapGenerator": noted(
            [generator], "Its name ends in a digest of what is in it, so a change starts pods anew."
        )
    }


def _quoted(value: str) -> str:
    """kustomize takes away one pair of quotes around a value, so one that is part of it needs another (api/kv/kv.go)."""
    return f'"{value}"' if len(value) > 1 and value[0] == value[-1] and value[0] in "\"'" else value


def _dev(application: Application, every: list[Object]) -> Document:
    gone = [_deleted(one) for one in every if one.kind in NOT_IN_DEV]
    return {
        **HEADER,
        "resources": ["../../base"],
        "images": [{"name": application.image, "newTag": words.tag(application.version)}],
        "replicas": noted([{"name": names.service(application), "count": 1}], "One copy is enough to try it."),
        **({"patches": gone} if gone else {}),
    }


def _deleted(one: Object) -> Document:
    name = one.document["metadata"]["name"]
    patch = {
        "apiVersion": one.document["apiVersion"],
        "kind": one.kind,
        "metadata": {"name": name},
        "$patch": "delete",
    }
    return {"target": {"kind": one.kind, "name": name}, "patch": yaml.dump(patch)}


def _production(application: Application) -> Document:
    pin = {"digest": application.digest} if application.digest else {"newTag": words.tag(application.version)}
    note = pod.image_note(application)
    return {
        **HEADER,
        "resources": ["../../base"],
        "images": noted([{"name": application.image, **pin}], note),
    }
