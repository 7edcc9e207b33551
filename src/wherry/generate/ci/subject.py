"""One application among those of a workflow. Applications in, names and places out; touches nothing."""

from __future__ import annotations

import re

from wherry.generate import names
from wherry.generate.names import Applications
from wherry.generate.shell import package
from wherry.generate.text import apart
from wherry.kit.value import Value
from wherry.model.application import Application
from wherry.oci import reference


class Subject(Value, frozen=True, kw_only=True):
    """With others beside it, its jobs carry its name."""

    applications: Applications
    application: Application

    def job(self, name: str) -> str:
        alone = len(self.applications) == 1
        return name if alone else f"{name}-{identifier(names.service(self.application))}"

    @property
    def first(self) -> bool:
        return self.application is self.applications[0]

    @property
    def registry(self) -> str:
        """Where the image is pushed; empty: nowhere."""
        return reference.parse(self.application.image).host

    @property
    def told(self) -> dict[str, str]:
        """What commands read from their variables."""
        return {
            "PACKAGE": package(self.applications, self.application),
            "PLATFORMS": ",".join(map(str, self.application.platforms)),
            "IMAGE": self.application.image,
        }


def subjects(applications: Applications, file: str) -> tuple[Subject, ...]:
    """Each with jobs of its own. UsageError [same-name]."""
    found = tuple(Subject(applications=applications, application=one) for one in applications)
    apart((one.job("") for one in found), file=file)
    return found


def identifier(text: str) -> str:
    """`text` in the letters that a job's or a file's name may have."""
    return re.sub(r"[^A-Za-z0-9_-]", "-", text)
