"""Compare the attributes of a resource, or outputs, before and after a plan."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from bot.domain.plans.diff_writer import Writer
from bot.domain.plans.literal import SENSITIVE, UNKNOWN
from bot.domain.plans.masking import Masker, any_mark
from bot.domain.plans.resource_change import AttributeChange
from bot.domain.plans.value_diff import Leaf, Walk
from bot.domain.plans.values import Steps, identity
from bot.domain.redaction import Redactor

VALUE_LIMIT = 500
"""Characters kept of a value that is written in one line. A longer one ends in its digest, so that it still differs from
others; what changes in it is in the lines of AttributeChange.detail."""


@dataclass(frozen=True)
class Pair:
    """A value before and after, with Terraform's marks for it: True for the whole value, or nested like the value.

    unknown: what is known only after apply. hidden: what is sensitive before and after.
    """

    before: Any
    after: Any
    unknown: Any
    hidden: tuple[Any, Any]

    @classmethod
    def of(cls, change: Mapping[str, Any]) -> Pair:
        """Read a `change` object of Terraform's plan JSON."""
        hidden = (change.get("before_sensitive"), change.get("after_sensitive"))
        return cls(change.get("before"), change.get("after"), change.get("after_unknown"), hidden)

    @property
    def attributes(self) -> Iterator[tuple[str, Pair]]:
        """The attributes that may differ, by name."""
        sides = (self.before, self.after, self.unknown)
        for name in sorted({key for side in sides if isinstance(side, dict) for key in side}):
            pair = self._at(name)
            same = pair.before == pair.after and identity(pair.before) == identity(pair.after)
            if not same or any_mark(pair.unknown):
                yield name, pair

    def _at(self, name: str) -> Pair:
        before, after, unknown = (_child(side, name) for side in (self.before, self.after, self.unknown))
        return Pair(before, after, unknown, (_child(self.hidden[0], name), _child(self.hidden[1], name)))


def _child(value: Any, name: str) -> Any:
    return True if value is True else value.get(name) if isinstance(value, dict) else None


@dataclass(frozen=True)
class Differ:
    """Finds what changes, with everything sensitive masked. redact: the known secrets."""

    redact: Redactor = field(default_factory=Redactor)

    def attributes(self, pair: Pair) -> Iterator[tuple[Steps, AttributeChange]]:
        """Yield the path and the change of each value that differs between two sets of attributes."""
        for name, attribute in pair.attributes:
            yield from self._changes((self.redact.tagged(name),), attribute)

    def value(self, name: str, pair: Pair) -> AttributeChange:
        """Return the change of one value, such as an output."""
        return self._change(Leaf((self.redact.tagged(name),), *self._trees(pair)))

    def _changes(self, path: Steps, pair: Pair) -> Iterator[tuple[Steps, AttributeChange]]:
        before, after = self._trees(pair)
        for leaf in Walk().leaves(path, before, after):
            yield leaf.path, self._change(leaf)

    def _trees(self, pair: Pair) -> tuple[Any, Any]:
        return Masker(self.redact).trees((pair.before, pair.after), pair.hidden, pair.unknown)

    def _change(self, leaf: Leaf) -> AttributeChange:
        writer = Writer(self.redact)
        path = writer.path(leaf.path)
        lines = tuple(writer.lines(path, leaf.before, leaf.after))
        before, after = (
            "" if side is None else _cut(writer.literal(side)) for side in (leaf.before, leaf.after)
        )
        change = AttributeChange(path, before, after)
        return change if lines == change.lines else AttributeChange(path, before, after, detail=lines)


def _cut(text: str) -> str:
    if len(text) <= VALUE_LIMIT:
        return text
    marks = [mark for mark in (UNKNOWN, SENSITIVE) if mark in text[VALUE_LIMIT // 2 :]]
    digest = hashlib.sha256(text.encode()).hexdigest()[:12]
    return f"{text[: VALUE_LIMIT // 2]}… {' '.join(marks)}sha256:{digest}"
