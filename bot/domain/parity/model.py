"""What environments are compared by, and how they differ."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from functools import cached_property
from typing import Literal


@dataclass(frozen=True)
class Trait:
    """One thing that is compared.

    what: its name, such as `var.nodes`, by which a difference is declared. value: as people write it. kind: the value's
    type, "" where there is only one. place: where it is set, "" if that is not known. hidden: its value is compared, and
    never shown.
    """

    what: str
    value: str = ""
    kind: str = ""
    place: str = ""
    hidden: bool = False


@dataclass(frozen=True)
class Profile:
    """What is known of one environment of a stack.

    unknown: names, or their first parts (`resource`), that cannot be compared here, and why, such as "local-only"; ""
    where that goes without saying.
    """

    environment: str
    traits: tuple[Trait, ...]
    unknown: dict[str, str] = field(default_factory=dict)

    @property
    def gaps(self) -> dict[str, tuple[str, ...]]:
        """Why → the first parts of names that cannot be compared."""
        reasons = dict.fromkeys(why for why in self.unknown.values() if why)
        return {why: tuple(what for what, given in self.unknown.items() if given == why) for why in reasons}

    def knows(self, what: str) -> bool:
        """Whether it can be compared by this."""
        return what not in self.unknown and what.partition(".")[0] not in self.unknown

    @cached_property
    def by_name(self) -> dict[str, Trait]:
        return {trait.what: trait for trait in self.traits}


@dataclass(frozen=True)
class Side:
    """What some of the environments have in common. value: None where it is missing."""

    environments: tuple[str, ...]
    value: str | None
    kind: str = ""
    place: str = ""
    hidden: bool = False


@dataclass(frozen=True)
class Difference:
    """Environments that should be alike, and are not. reason: why the policy allows that, "" where it does not."""

    what: str
    kind: Literal["missing", "type", "value"]
    sides: tuple[Side, ...]
    reason: str = ""


@dataclass(frozen=True)
class Comparison:
    """The environments of one group, for one stack. environments: in the order of the group. compared: how many names
    were. gaps: what could not be compared, and why, such as `the resources of ci and test (nothing is deployed)`."""

    stack: str
    environments: tuple[str, ...]
    differences: tuple[Difference, ...]
    compared: int = 0
    gaps: tuple[str, ...] = ()

    @property
    def undeclared(self) -> tuple[Difference, ...]:
        return tuple(one for one in self.differences if not one.reason)

    @property
    def declared(self) -> tuple[Difference, ...]:
        return tuple(one for one in self.differences if one.reason)


@dataclass(frozen=True)
class Unused:
    """A declared difference that does not exist (any more)."""

    environments: tuple[str, ...]
    what: str


@dataclass(frozen=True)
class Parity:
    """The answer to `/parity`. commit: whose files were compared. pull: the pull request that it belongs to, 0 for the
    default branch's. declares: groups that the policy has, so that a declaration is added there."""

    repository: str
    commit: str
    comparisons: tuple[Comparison, ...]
    unused: tuple[Unused, ...] = ()
    pull: int = 0
    declares: frozenset[tuple[str, ...]] = frozenset()

    @property
    def undeclared(self) -> int:
        return sum(len(one.undeclared) for one in self.comparisons)

    @property
    def ok(self) -> bool:
        return not self.undeclared


def joined(words: Iterable[str]) -> str:
    """`dev, ci and test`."""
    *others, last = list(words) or [""]
    return f"{', '.join(others)} and {last}" if others else last
