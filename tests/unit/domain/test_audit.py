"""The chain of the record: a change, a gap or another order is seen."""

from __future__ import annotations

import json
from dataclasses import fields, replace
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.domain.audit import FIRST, Entry

NOW = datetime(2030, 1, 2, 3, 4, 5, 678_901, tzinfo=UTC)
ENTRY = Entry(NOW, "apply.started", "ann", "T1/U1", "slack", "acme/infra", "acme/infra:infra:prod", 7, "r1")


def chain(*entries: Entry) -> list[Entry]:
    made: list[Entry] = []
    for number, entry in enumerate(entries, 1):
        made.append(entry.chained(number, made[-1].digest if made else FIRST))
    return made


def sound(entries: list[Entry]) -> bool:
    before = FIRST
    for number, entry in enumerate(entries, 1):
        if (entry.number, entry.previous, entry.digest) != (number, before, entry.compute()):
            return False
        before = entry.digest
    return True


def test_a_chain_is_sound() -> None:
    first, second, third = made = chain(ENTRY, ENTRY, replace(ENTRY, action="apply.finished"))
    assert sound(made)
    assert first.previous == "0" * 64
    assert len({first.digest, second.digest, third.digest}) == 3, "the same twice is two entries"
    assert not sound([first, third])
    assert not sound([second, third])
    assert not sound([first, third, second])


@pytest.mark.parametrize("name", [field.name for field in fields(Entry) if field.name != "digest"])
def test_a_change_of_any_field_is_seen(name: str) -> None:
    changes: dict[str, Any] = {
        "at": NOW + timedelta(microseconds=1),
        "facts": {"a": 1},
        "pull": 8,
        "number": 5,
    }
    first, second = chain(ENTRY, ENTRY)
    changed = replace(second, **{name: changes.get(name, "other")})
    assert changed.compute() != second.digest
    assert not sound([first, changed])


def test_a_fact_deep_inside_counts_and_its_order_does_not() -> None:
    facts = {"answers": [{"gate": "Promoted", "passed": True}], "b": {"x": 1, "y": None}}
    turned = {"b": {"y": None, "x": 1}, "answers": [{"passed": True, "gate": "Promoted"}]}
    changed = {"answers": [{"gate": "Promoted", "passed": False}], "b": {"x": 1, "y": None}}
    assert replace(ENTRY, facts=facts).compute() == replace(ENTRY, facts=turned).compute()
    assert replace(ENTRY, facts=facts).compute() != replace(ENTRY, facts=changed).compute()


def test_the_same_moment_in_another_time_zone_is_the_same() -> None:
    there = replace(ENTRY, at=NOW.astimezone(timezone(timedelta(hours=2))))
    assert there.compute() == ENTRY.compute()
    assert there.to_dict()["at"] == "2030-01-02T03:04:05.678901+00:00"


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)


@given(st.dictionaries(st.text(), JSON, max_size=4), st.text())
def test_a_line_of_the_export_proves_itself(facts: dict[str, Any], login: str) -> None:
    entry = replace(ENTRY, facts=facts, login=login).chained(3, "a" * 64)
    line = json.loads(json.dumps(entry.to_dict()))
    again = Entry(**{**line, "at": datetime.fromisoformat(line["at"])})
    assert again.compute() == entry.digest == line["digest"]


def test_half_a_character_does_not_break_the_record() -> None:
    entry = replace(ENTRY, facts={"reason": "\ud83d"}).chained(1, FIRST)
    assert sound([entry])
