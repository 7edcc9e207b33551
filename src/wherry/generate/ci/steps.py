"""Steps of jobs on GitHub. What is known of an application in, steps out; touches nothing.

No `run` holds an expression: GitHub pastes its value into the script before a shell reads it, so a branch's name would be code
(I03). Values come by `env`, and the shell quotes them.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from wherry.formats.yaml import Document, noted
from wherry.generate.ci import commands, install
from wherry.generate.ci.actions import ATTEST, CACHE, CHECKOUT, SETUP_GO, uses
from wherry.model.application import Application

Step = Mapping[str, Document]
IMAGES: Final = "oci:$RUNNER_TEMP/images"
VARIABLES: Final = "Settings > Secrets and variables > Actions > Variables"
"""Where a repository says what workflows read as `vars`."""
CACHES: Final = "~/.cache/go-build\n~/go/pkg/mod\n"


def literal(text: str) -> str:
    """A text in a workflow that is no expression, whatever it holds."""
    return text.replace("${{", "${{ '${{' }}")


def sources() -> Step:
    """The commit with all tags."""
    return {
        "name": "Sources",
        "uses": uses(CHECKOUT),
        "with": {
            "fetch-depth": noted(0, "The version comes from tags."),
            "persist-credentials": noted(False, "No later step can push with them."),
        },
    }


def credentials(application: Application) -> tuple[Step, ...]:
    """What Go and git read for private modules, of the secret NETRC; nothing where all are public."""
    if not application.sources.private:
        return ()
    run = "umask 077\nprintf '%s\\n' \"$NETRC\" >~/.netrc\n"
    return ({"name": "Credentials of private modules", "env": {"NETRC": "${{ secrets.NETRC }}"}, "run": run},)


def go(application: Application, *, cached: bool) -> Step:
    """The toolchain of the plan; `cached`: whether a step of ours keeps what it makes."""
    why = "The next step brings them." if cached else "Nothing that other runs kept."
    return {
        "name": "Go",
        "uses": uses(SETUP_GO),
        "with": {"go-version": literal(application.sources.go), "cache": noted(False, why)},
    }


def restore(application: Application, job: str) -> Step:
    """Go's caches as the last push left them."""
    sums = ", ".join(
        "'" + one.replace("'", "''") + "'" for one in application.sources.module_files if one.endswith(".sum")
    )
    begin = f"{job}-${{{{ runner.os }}}}-{literal(application.sources.go)}-"
    hashed = f"{begin}${{{{ hashFiles({sums}) }}}}-" if sums else begin
    why = (
        "An entry for each push, begun from the last one: none is ever changed, so one for each go.sum alone would keep\n"
        "the objects of its first day. A Dockerfile's cache mounts could not be kept at all (moby/buildkit#1474)."
    )
    return {
        "name": "Caches of modules and of what was compiled",
        "id": "caches",
        "uses": uses(CACHE, "restore"),
        "with": {
            "path": CACHES,
            "key": noted(f"{hashed}${{{{ github.sha }}}}", why),
            "restore-keys": "".join(f"{one}\n" for one in dict.fromkeys((hashed, begin))),
        },
    }


def save(pushed: str) -> Step:
    """The caches that this job leaves."""
    why = "What a pull request or a tag keeps no other may read, and an entry that is there stays as it is."
    return {
        "name": "Keep the caches",
        "if": noted(f"{pushed} && github.ref_type == 'branch' && steps.caches.outputs.cache-hit != 'true'", why),
        "uses": uses(CACHE, "save"),
        "with": {"path": CACHES, "key": "${{ steps.caches.outputs.cache-primary-key }}"},
    }


def wherry() -> Step:
    """In an environment of its own, on PATH from the next step on."""
    run = (
        f"{install.refusal(f'{VARIABLES}; pull requests from forks get none')}"
        'python3 -m venv "$RUNNER_TEMP/wherry"\n'
        '"$RUNNER_TEMP/wherry/bin/pip" install --quiet "$WHERRY"\n'
        'echo "$RUNNER_TEMP/wherry/bin" >>"$GITHUB_PATH"\n'
    )
    return {"name": "wherry", "run": run}


def current() -> Step:
    """That nobody has forgotten `wherry generate`."""
    return {"name": "Generated files are as they would be made now", "run": "wherry generate --check"}


def build(told: Mapping[str, str]) -> Step:
    """The step `build` says its digest."""
    run = f'{commands.build(IMAGES)}echo "digest=${{image##*@}}" >>"$GITHUB_OUTPUT"\n'
    return {"name": "Build", "id": "build", "env": told, "run": run}


_SWITCH: Final = "kernel.apparmor_restrict_unprivileged_userns"
_NAMESPACES: Final = f"""\
if [ "$(id -u)" -ne 0 ] && [ "$(sysctl -n {_SWITCH} 2>/dev/null)" = 1 ]; then
  sudo sysctl -q -w {_SWITCH}=0
fi
"""


def prove(place: str) -> Step:
    """Fails, too, when something could not be seen."""
    why = (
        "Ubuntu's AppArmor keeps ordinary users from making namespaces (actions/runner-images#10443), which containers are\n"
        "made of; this machine is thrown away afterwards."
    )
    return {"name": "Prove", "run": noted(f"{_NAMESPACES}{commands.prove(place)}", why)}


def login(registry: str, condition: str = "") -> Step:
    """GitHub's own registry takes the job's token, which ends with it."""
    own = registry == "ghcr.io"
    environment = {
        "REGISTRY": literal(registry),
        "REGISTRY_USERNAME": "${{ github.actor }}" if own else "${{ secrets.REGISTRY_USERNAME }}",
        "REGISTRY_PASSWORD": "${{ secrets.GITHUB_TOKEN }}" if own else "${{ secrets.REGISTRY_PASSWORD }}",
    }
    only = {"if": noted(condition, "Pull requests from elsewhere get no secrets.")} if condition else {}
    return {"name": "Log in", **only, "env": environment, "run": commands.LOGIN}


def push_again(told: Mapping[str, str], job: str) -> Document:
    """Only the digest that `job` has proved."""
    proved = f"${{{{ needs.{job}.outputs.digest }}}}"
    run = f'{commands.push_again(IMAGES)}echo "digest=$PROVED" >>"$GITHUB_OUTPUT"\n'
    step = {"name": "Push what was proved", "id": "push", "env": {**told, "PROVED": proved}, "run": run}
    return noted(step, commands.AGAIN)


def attest(image: str) -> Step:
    """SLSA provenance beside the image."""
    return {
        "name": "Provenance, signed by GitHub",
        "if": noted(
            "${{ !github.event.repository.private }}",
            "Of private repositories GitHub attests only those of enterprises.",
        ),
        "uses": uses(ATTEST),
        "with": {
            "subject-name": literal(image),
            "subject-digest": "${{ steps.push.outputs.digest }}",
            "push-to-registry": True,
            "create-storage-record": False,
        },
    }
