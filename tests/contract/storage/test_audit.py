"""The audit record, on SQLite and on Postgres: nobody forks its chain, and what is changed in it is found."""

from __future__ import annotations

import hashlib
import json
from dataclasses import fields, replace
from datetime import datetime, timedelta, timezone
from typing import Any

import pytest
from sqlalchemy import literal_column

from bot.audit import reading
from bot.audit.reading import walk
from bot.audit.verification import Verified, verify
from bot.domain.audit import FIRST, Entry
from bot.storage import audit as storage
from bot.storage.database import Database
from bot.storage.tables import audit
from bot.vault import Vault
from tests.contract.storage.records import entry
from tests.integration.storage.samples import MINUTE, NOW, at_once

AWKWARD = {
    "floats": [0.1, 1e300, -0.0, 5e-324, 1.0],
    "numbers": [2**70, -1, 0, True],
    "z": {"y": None, "x": {"b": 1, "a": [[], {}]}},
    "text": "Größe 🎉 \u2028 \" \\ ' \x00 \ud800",
}


def add(store: Database, *entries: Entry) -> list[Entry]:
    with store.begin() as tables:
        return [tables.audit.add(one) for one in entries]


def test_entries_are_chained(store: Database) -> None:
    with store.read() as tables:
        assert tables.audit.head() is None
        assert list(tables.audit.entries()) == []
    first, second = add(store, entry(0), entry(1))
    (third,) = add(store, entry(2))
    assert [one.number for one in (first, second, third)] == [1, 2, 3]
    assert [one.previous for one in (first, second, third)] == [FIRST, first.digest, second.digest]
    with store.read() as tables:
        assert list(tables.audit.entries()) == [first, second, third]
        assert list(tables.audit.entries(2)) == [third]
        assert list(tables.audit.entries(3)) == []
        assert tables.audit.head() == third


def test_what_is_rolled_back_leaves_no_gap(store: Database) -> None:
    def fail() -> None:
        with store.begin() as tables:
            tables.audit.add(entry(0))
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        fail()
    (first,) = add(store, entry(1))
    assert (first.number, first.previous) == (1, FIRST)


@pytest.mark.parametrize("at", [NOW, NOW.replace(microsecond=0), NOW.replace(microsecond=1)])
def test_every_value_survives(store: Database, at: datetime) -> None:
    (told,) = add(store, replace(entry(facts=AWKWARD), at=at))
    with store.read() as tables:
        (found,) = tables.audit.entries()
    assert found == told
    assert found.compute() == told.digest
    assert json.dumps(found.facts) == json.dumps(AWKWARD)


def test_the_digest_is_the_same_on_every_database(store: Database) -> None:
    (told,) = add(store, replace(entry(facts={"b": 0.1, "a": "ö"}), at=NOW))
    assert told.digest == "cfc6d44416d0f7b90c08bcc7489014ff2d7032d8b458c5426db72dd13a1bd567"
    assert verify(walk(store)).head == told.digest


def test_it_is_kept_as_it_comes_back(store: Database) -> None:
    berlin = NOW.astimezone(timezone(timedelta(hours=1)))
    (told,) = add(store, replace(entry(facts={"teams": ("a", "b"), 7: {"at": None}}), at=berlin))
    assert told.facts == {"teams": ["a", "b"], "7": {"at": None}}
    assert told.at.isoformat() == NOW.isoformat()
    assert verify(walk(store)).ok


@pytest.mark.parametrize(
    "wrong", [{"at": NOW.replace(tzinfo=None)}, {"facts": {"x": float("nan")}}, {"facts": {"x": {1, 2}}}]
)
def test_what_cannot_be_kept_exactly_is_refused(store: Database, wrong: dict[str, Any]) -> None:
    with store.begin() as tables, pytest.raises((ValueError, TypeError)):
        tables.audit.add(replace(entry(), **wrong))


def test_many_writers_make_one_chain(store: Database) -> None:
    def write(number: int) -> None:
        for part in range(25):
            with store.begin() as tables:
                tables.audit.add(entry(number * 25 + part))

    assert at_once(8, write) == [None] * 8
    found = list(walk(store))
    assert [one.number for one in found] == list(range(1, 201))
    assert {one.facts["index"] for one in found} == set(range(200))
    assert verify(found) == Verified(200, found[-1].digest)


def test_a_writer_waits_for_the_one_before(store: Database) -> None:
    """The second begins while the first has added and not committed: it must follow what the first commits."""

    def write(number: int) -> Entry:
        with store.begin() as tables:
            return [tables.audit.add(entry(number)) for _ in range(20)][-1]

    ends = sorted(at_once(2, write), key=lambda one: one.number)
    assert [one.number for one in ends] == [20, 40]
    assert verify(walk(store), ends[0].digest).head == ends[1].digest


def test_long_records_come_in_batches(store: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(storage, "BATCH", 3)
    monkeypatch.setattr(reading, "BATCH", 5)
    every = add(store, *(entry(index) for index in range(15)))
    with store.read() as tables:
        assert list(tables.audit.entries()) == every
        assert list(tables.audit.entries(4)) == every[4:]
    assert list(walk(store)) == every
    assert list(walk(store, 9)) == every[9:]


def test_what_is_added_while_it_is_read_comes_too(store: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reading, "BATCH", 2)
    add(store, *(entry(index) for index in range(4)))
    reader = walk(store)
    next(reader)
    add(store, entry(4))
    assert [one.number for one in reader] == [2, 3, 4, 5]


def test_a_whole_record_is_told_with_its_head(store: Database) -> None:
    assert verify(walk(store)) == Verified(0, FIRST)
    every = add(store, *(entry(index) for index in range(5)))
    for head in ("", FIRST, *(one.digest for one in every)):
        assert verify(walk(store), head) == Verified(5, every[-1].digest)


@pytest.mark.parametrize("number", [1, 3, 5])
@pytest.mark.parametrize("column", [field.name for field in fields(Entry)])
def test_a_changed_value_is_found(store: Database, column: str, number: int) -> None:
    every = add(store, *(entry(index) for index in range(5)))
    old = getattr(every[number - 1], column)
    changed: dict[type, Any] = {
        str: "f" * 64,
        int: number + 1000,
        datetime: NOW + timedelta(microseconds=1),
        dict: {"index": 99},
    }
    with store.begin() as tables:
        tables.connection.execute(
            audit.update().where(audit.c.number == number).values({column: changed[type(old)]})
        )
    found = verify(walk(store))
    assert (found.ok, found.number, found.entries) == (False, number, number - 1)
    assert f"ntry {number}" in found.why


@pytest.mark.parametrize("column", ["at", "facts", "number", "pull", "login"])
def test_a_value_that_no_entry_has_is_found(sqlite_url: str, vault: Vault, column: str) -> None:
    """SQLite keeps any text in any column; Postgres refuses it."""
    store = Database(sqlite_url, vault)
    add(store, *(entry(index) for index in range(3)))
    with store.begin() as tables:
        row = audit.update().where(audit.c.number == 2)
        tables.connection.execute(row.values({column: literal_column("'{'")}))
    found = verify(walk(store))
    store.close()
    assert (found.ok, found.number, found.entries) == (False, 2, 1)


@pytest.mark.parametrize("number", [1, 2, 4])
def test_an_entry_taken_out_is_found(store: Database, number: int) -> None:
    add(store, *(entry(index) for index in range(5)))
    with store.begin() as tables:
        tables.connection.execute(audit.delete().where(audit.c.number == number))
    found = verify(walk(store))
    assert (found.number, found.entries) == (number, number - 1)
    assert f"Entry {number} is missing" in found.why


def test_a_change_with_a_new_digest_is_found_at_the_next(store: Database) -> None:
    every = add(store, *(entry(index) for index in range(5)))
    forged = replace(every[2], login="dave").chained(3, every[1].digest)
    with store.begin() as tables:
        tables.connection.execute(
            audit.update().where(audit.c.number == 3).values(login="dave", digest=forged.digest)
        )
    found = verify(walk(store))
    assert (found.number, found.entries) == (4, 3)


def test_a_missing_end_is_found_by_a_head_noted_before(store: Database) -> None:
    every = add(store, *(entry(index) for index in range(5)))
    with store.begin() as tables:
        tables.connection.execute(audit.delete().where(audit.c.number == 5))
    assert verify(walk(store)).ok, "nothing in the rest tells of it"
    assert verify(walk(store), every[3].digest).ok
    found = verify(walk(store), every[4].digest)
    assert (found.ok, found.number, found.entries, found.head) == (False, 5, 4, every[3].digest)
    assert "the entries after 4 were removed" in found.why
    add(store, entry(9))
    assert not verify(walk(store), every[4].digest).ok, "another one in its place does not hide it"


def test_a_record_written_anew_is_found_by_a_head_noted_before(store: Database) -> None:
    head = add(store, entry(0), entry(1))[-1].digest
    with store.begin() as tables:
        tables.connection.execute(audit.delete())
    add(store, entry(0), entry(1, login="dave"), entry(2))
    assert verify(walk(store)).ok
    assert not verify(walk(store), head).ok


def test_lines_carry_all_that_their_digest_is_made_of(store: Database) -> None:
    add(store, entry(0), entry(1, facts=AWKWARD))
    previous = FIRST
    for one in walk(store):
        content = json.loads(reading.line(one))
        digest = content.pop("digest")
        plain = json.dumps(content, sort_keys=True, separators=(",", ":"))
        assert hashlib.sha256(plain.encode()).hexdigest() == digest
        assert content["previous"] == previous
        assert content["at"] == (NOW + (one.number - 1) * MINUTE).isoformat()
        previous = digest


def test_the_newest_entry_of_a_pull_request(store: Database) -> None:
    one = replace(entry(), action="apply.refused", repository="acme/infra", pull=7)
    add(store, one, replace(one, pull=8), replace(one, login="bob"), replace(one, action="apply.started"))
    with store.read() as tables:
        found = tables.audit.newest("apply.refused", "acme/infra", 7)
        assert found is not None
        assert (found.number, found.login) == (3, "bob")
        assert tables.audit.newest("apply.refused", "acme/shop", 7) is None
