"""Units: whatever a word holds, systemd reads the same word (I04)."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from tests.support.units import values, words
from wherry.model.container import Bind, Container, User
from wherry.oci.platform import Platform
from wherry.runtime.units import quadlet, systemd

PLAIN = st.text(st.characters(codec="utf-8", exclude_categories=("Cc", "Cs", "Zl", "Zp"), include_characters="\n"))
LIST = st.lists(PLAIN, max_size=4).map(tuple)


def container(**fields: object) -> Container:
    common: dict[str, object] = {
        "name": "app",
        "image": "app:1",
        "platform": Platform(architecture="amd64"),
        "arguments": ("/app",),
        "user": User(uid=65532, gid=65532),
    }
    return Container(**(common | fields))  # type: ignore[arg-type]


@given(LIST)
def test_words_of_a_command_stay_what_they_are(said: tuple[str, ...]) -> None:
    text = systemd(container(), ("/bin/wherry", *said), "/")
    (line,) = values(text, "Service", "ExecStart")
    assert words(line) == ["/bin/wherry", *said]


@given(PLAIN)
def test_variables_of_a_service_stay_what_they_are(value: str) -> None:
    text = systemd(container(), ("/bin/wherry",), "/", (("WHERRY_X", value),))
    (line,) = values(text, "Service", "Environment")
    assert words(line, command=False) == [f"WHERRY_X={value}"]


@given(LIST, st.lists(PLAIN, max_size=3))
def test_arguments_and_variables_of_a_quadlet_stay_what_they_are(said: tuple[str, ...], variables: list[str]) -> None:
    """All of it becomes words of one command, where $ and % mean something."""
    pairs = tuple((f"V{number}", value) for number, value in enumerate(variables))
    text = quadlet(container(arguments=("/app", *said), environment=pairs), "app:1", "/p.json")
    assert [words(one) for one in values(text, "Container", "Environment")] == [[f"{n}={v}"] for n, v in pairs]
    assert [words(one) for one in values(text, "Container", "Exec")] == ([list(said)] if said else [])


def test_a_path_that_podman_would_take_apart_is_an_argument() -> None:
    text = quadlet(container(binds=(Bind(source="/a, b", path="/x"), Bind(source="/c", path="/y"))), "app:1", "/p.json")
    (plain,) = values(text, "Container", "Mount")
    assert plain.startswith("type=bind,src=/c,")
    whole = [words(one) for one in values(text, "Container", "PodmanArgs") if "--mount" in one]
    assert [one[1].split(",dst")[0] for one in whole] == ['type=bind,"src=/a, b"']
