"""Values of a plan or state as they may be shown: sensitive and unknown parts replaced, known secrets redacted.

Redaction comes first, on whole strings: afterwards they may be taken apart and cut without revealing half a secret.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from bot.domain.plans.values import Hidden, Tree, Unknown, with_null
from bot.domain.redaction import Redactor, redact_json

Marks = Any
"""Terraform's marks of a value: True for the whole of it, or nested like the value."""


def merge_marks(marks: Iterable[Marks]) -> Marks:
    """Return marks of everything that any of `marks` marks."""
    merged: dict[str | int, Any] = {}
    for mark in marks:
        if mark is True:
            return True
        for key, below in _nested(mark).items():
            merged[key] = merge_marks([merged.get(key), below])
    return merged


def any_mark(mark: Marks) -> bool:
    return any(map(any_mark, _nested(mark).values())) if isinstance(mark, dict | list) else bool(mark)


def _nested(mark: Marks) -> Mapping[str | int, Any]:
    return mark if isinstance(mark, dict) else dict(enumerate(mark)) if isinstance(mark, list) else {}


class Masker:
    """Replaces what must not be shown of one attribute. Text in its trees is tagged by the redactor."""

    def __init__(self, redact: Redactor) -> None:
        self._redact = redact
        self._moved: set[str] = (
            set()
        )  # the sensitive elements of lists, which may be at another place on the other side

    def trees(self, sides: tuple[Any, Any], hidden: tuple[Marks, Marks], unknown: Marks) -> tuple[Tree, Tree]:
        """Return both sides as they may be shown. hidden: marks of both sides; what one of them marks is hidden in both,
        since a plan may add or remove the mark itself. unknown: marks of the second side."""
        marks = merge_marks(hidden)
        self._moved = {
            text for side, mark in zip(sides, hidden, strict=True) for text in _elements(side, mark)
        }
        return self._tree(sides[0], marks, None), self._tree(sides[1], marks, unknown)

    def _tree(self, value: Any, hidden: Marks, unknown: Marks) -> Tree:
        if hidden is True:
            if value is None and not any_mark(unknown):
                return None
            return Hidden(json.dumps([value, bool(unknown)], sort_keys=True))
        if unknown is True:
            return Unknown()
        nested = unknown if any_mark(unknown) else None
        if isinstance(value, dict) or (value is None and isinstance(nested, dict)):
            return self._map(value or {}, hidden, nested)
        if isinstance(value, list) or (value is None and isinstance(nested, list)):
            return self._list(value or [], hidden, nested)
        return redact_json(value, self._redact.tagged)

    def _map(self, value: Mapping[str, Any], hidden: Marks, unknown: Marks) -> Tree:
        marks, more = _nested(hidden), _nested(unknown)
        names = [*value, *(str(key) for key in more if key not in value and any_mark(more[key]))]
        return {
            self._redact.tagged(str(key)): self._tree(value.get(key), marks.get(key), more.get(key))
            for key in names
        }

    def _list(self, value: list[Any], hidden: Marks, unknown: Marks) -> Tree:
        """Elements may change their places: what is marked in one of them is hidden in all, and a marked element
        wherever it is."""
        marks, more = _nested(hidden), _nested(unknown)
        shared = merge_marks(mark for mark in marks.values() if mark is not True)
        length = max([len(value), *(at + 1 for at in more if isinstance(at, int) and any_mark(more[at]))])
        items = [*value, *[None] * (length - len(value))]
        return [
            with_null(self._tree(item, self._hides(item, marks.get(at)) or shared, more.get(at)))
            for at, item in enumerate(items)
        ]

    def _hides(self, item: Any, mark: Marks) -> bool:
        return mark is True or (bool(self._moved) and _text(item) in self._moved)


def _elements(value: Any, hidden: Marks) -> Iterator[str]:
    """Yield the elements of lists that are sensitive as a whole."""
    items = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    marks = _nested(hidden)
    for key, item in items:
        if marks.get(key) is not True:
            yield from _elements(item, marks.get(key))
        elif isinstance(value, list) and item is not None:
            yield _text(item)


def _text(value: Any) -> str:
    return json.dumps(value, sort_keys=True)
