"""Which environments must be alike: `[[parity]]` of the policy."""

from __future__ import annotations

from collections.abc import Collection
from fnmatch import fnmatchcase
from typing import Annotated

from pydantic import AfterValidator

from bot.domain.policy.schema import Table
from bot.domain.policy.validators import Text, Wrong, listed
from bot.domain.suggest import hint

ASPECTS = ("var", "secret", "provider", "module", "policy", "resource")
"""What is compared: the first part of a difference's name."""
ALIKE = (("dev", "ci", "test"), ("staging", "prod"))
"""Groups of a policy without `[[parity]]`, of those of these environments that it has."""


def _what(value: str) -> str:
    aspect, dot, name = value.partition(".")
    if aspect not in ASPECTS or not dot or not name:
        meant = hint(aspect, ASPECTS) if aspect not in ASPECTS else ""
        raise Wrong(f"must begin with {', '.join(f'`{one}.`' for one in ASPECTS)}, as in `var.nodes`{meant}")
    return value


class AllowedDifference(Table):
    """A difference that is meant to be. what: its name, such as `var.nodes`; `*` and `?` match any characters."""

    what: Annotated[Text, AfterValidator(_what)]
    reason: Text

    def covers(self, what: str) -> bool:
        return fnmatchcase(what, self.what)


class ParityGroup(Table):
    """Environments that must be alike, except for `differences`."""

    environments: Annotated[tuple[Text, ...], listed("environments", 2)]
    differences: Annotated[tuple[AllowedDifference, ...], listed("differences")] = ()

    def allowed(self, what: str) -> AllowedDifference | None:
        """Return the first declaration that covers a difference."""
        return next((one for one in self.differences if one.covers(what)), None)


Groups = Annotated[tuple[ParityGroup, ...], listed("tables, each `[[parity]]`")]


def default_groups(environments: Collection[str]) -> tuple[ParityGroup, ...]:
    """Return dev ≈ ci ≈ test and staging ≈ prod, each with those that exist, if that is at least two."""
    found = (tuple(name for name in names if name in environments) for names in ALIKE)
    return tuple(ParityGroup(environments=names) for names in found if len(names) > 1)
