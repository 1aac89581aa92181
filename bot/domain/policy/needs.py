"""What a local environment needs to run: `needs` of `[env.dev]`, which `towpath dev up` starts."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import Annotated, Any, Self

from pydantic import BeforeValidator, Field, model_validator

from bot.domain.policy.schema import SmokeCheck, Table
from bot.domain.policy.types import Command, Positive
from bot.domain.policy.validators import Text, Wrong, like, listed

_PORT = re.compile(r"(?:(\d{1,5}):)?(\d{1,5})")
_VARIABLE = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
MOST_VARIABLES = 100

_Name = Annotated[
    Text, like(r"[a-z][a-z0-9-]{0,39}", 'a name such as "db": lowercase letters, digits and `-`')
]
_Image = Annotated[Text, like(r"[A-Za-z0-9][A-Za-z0-9._/:@-]*", 'an image such as "postgres:16"')]
_Requirement = Annotated[
    Text,
    like(
        r"[A-Za-z0-9][A-Za-z0-9._-]*(?:\[[A-Za-z0-9,._ -]+\])?(?:\s*(?:===?|~=|[<>]=?|!=)\s*[A-Za-z0-9.*+!_-]+,?)*",
        'a package such as "moto[server]==5.2.0"',
    ),
]


def _port(value: Any) -> str:
    found = (
        _PORT.fullmatch(str(value)) if isinstance(value, int | str) and not isinstance(value, bool) else None
    )
    if found is None or not all(0 < int(part) < 65536 for part in found.groups() if part):
        raise Wrong(
            'must be a port such as 5432, or two such as "15432:5432": on this machine, and in the container'
        )
    return f"{found[1] or found[2]}:{found[2]}"


def _variables(value: Any) -> dict[str, str]:
    if not isinstance(value, dict) or len(value) > MOST_VARIABLES:
        raise Wrong(
            f'must be a table of at most {MOST_VARIABLES} variables such as {{ POSTGRES_PASSWORD = "dev" }}'
        )
    for name, text in value.items():
        if not _VARIABLE.fullmatch(name) or not isinstance(text, str) or "\0" in text:
            raise Wrong(f"must hold variables with strings, which `{str(name)[:60]}` is not")
    return dict(value)


def _one_or_more(value: Any) -> Any:
    return [value] if isinstance(value, str) else value


_Port = Annotated[str, BeforeValidator(_port)]


class HealthCheck(SmokeCheck):
    """When a dependency counts as up: a smoke check without placeholders, tried more often: it runs on this machine."""

    every: Positive = timedelta(milliseconds=200)

    @model_validator(mode="after")
    def _no_placeholders(self) -> Self:
        if "{" in self.http + self.tcp:
            raise Wrong("has a placeholder, but dependencies start before there are outputs")
        return self


class Need(Table):
    """A dependency. One with `container` runs there if this machine has a container engine, else by its `command`.

    command: run without a shell in the working copy's top directory; `{data}` is a directory of its own. wheel: Python
    packages that bring the command, installed into a virtual environment of their own. ports: on this machine and in the
    container (`15432:5432`). env: variables; `{data}` as above. healthy: when it counts as up; by default when its first
    port accepts connections, or when it runs if it has none.
    """

    name: _Name
    command: Command = ""
    container: _Image = ""
    wheel: Annotated[
        tuple[_Requirement, ...],
        listed("packages", 1),
        BeforeValidator(_one_or_more),
    ] = ()
    ports: Annotated[tuple[_Port, ...], listed("ports")] = ()
    env: Annotated[dict[str, str], BeforeValidator(_variables)] = Field(default_factory=dict)
    healthy: HealthCheck | None = None

    @model_validator(mode="after")
    def _can_be_started(self) -> Self:
        if not self.command and not self.container:
            raise Wrong("needs `command` or `container`")
        if self.wheel and not self.command:
            raise Wrong("has `wheel`, which needs the `command` to start")
        return self

    @property
    def host_ports(self) -> tuple[int, ...]:
        """The ports that it takes on this machine."""
        return tuple(int(port.partition(":")[0]) for port in self.ports)
