"""The keys that sign tokens, on SQLite and on Postgres."""

from __future__ import annotations

from dataclasses import replace

import pytest
from sqlalchemy import select

from bot.domain.identity import SigningKey
from bot.storage.database import Database
from bot.storage.inbox import DeliveryRows
from bot.storage.reseal import reseal
from bot.storage.tables import signing_keys
from bot.vault import SealError, Vault
from tests.fixtures.storage import KEY
from tests.integration.storage.samples import MINUTE, NOW, at_once

OTHER = "another-key-for-tests-and-nothing-else"
FIRST = SigningKey(1, "k1", {"kty": "RSA", "kid": "k1"}, NOW, NOW)
SECOND = replace(FIRST, number=2, id="k2", signs_from=NOW + MINUTE)


def test_keys_come_back_in_order(store: Database) -> None:
    with store.begin() as tables:
        assert tables.signing_keys.add(SECOND, b"private-2")
        assert tables.signing_keys.add(FIRST, b"private-1")
    with store.read() as tables:
        assert tables.signing_keys.all() == [FIRST, SECOND]
        assert tables.signing_keys.private(1) == b"private-1"
        with pytest.raises(KeyError):
            tables.signing_keys.private(3)


def test_of_many_who_make_the_next_key_one_does(store: Database) -> None:
    def make(number: int) -> bool:
        with store.begin() as tables:
            return tables.signing_keys.add(replace(FIRST, id=f"of-{number}"), f"of-{number}".encode())

    assert sorted(at_once(8, make)) == [False] * 7 + [True]
    with store.read() as tables:
        (kept,) = tables.signing_keys.all()
        assert tables.signing_keys.private(1) == kept.id.encode()


def test_it_knows_when_its_last_token_expires(store: Database) -> None:
    with store.begin() as tables:
        tables.signing_keys.add(FIRST, b"")
        assert tables.signing_keys.signed(1, NOW + 2 * MINUTE)
        assert tables.signing_keys.signed(1, NOW + MINUTE)
        assert not tables.signing_keys.signed(2, NOW)
        assert tables.signing_keys.all() == [replace(FIRST, tokens_until=NOW + 2 * MINUTE)]


def test_it_is_dropped_after_its_last_token(store: Database) -> None:
    with store.begin() as tables:
        tables.signing_keys.add(FIRST, b"")
        tables.signing_keys.add(SECOND, b"")
        tables.signing_keys.signed(1, NOW + MINUTE)
        assert not tables.signing_keys.drop(1, NOW + MINUTE)
        assert tables.signing_keys.drop(1, NOW + 2 * MINUTE)
        assert tables.signing_keys.drop(2, NOW)  # it signed none
        assert not tables.signing_keys.drop(2, NOW)


def test_the_private_half_is_sealed_and_bound_to_it(store: Database) -> None:
    with store.begin() as tables:
        tables.signing_keys.add(FIRST, b"hunter2-hunter2")
        tables.signing_keys.add(SECOND, b"other")
        mine = select(signing_keys.c.private).where(signing_keys.c.number == 1)
        sealed = tables.connection.execute(mine).scalar_one()
        assert b"hunter2" not in sealed
        tables.connection.execute(signing_keys.update().values(private=sealed))
        with pytest.raises(SealError, match="belong to another row"):
            tables.signing_keys.private(2)


def test_it_is_sealed_anew_with_the_rest(store: Database, database_url: str, inbox: DeliveryRows) -> None:
    with store.begin() as tables:
        tables.signing_keys.add(FIRST, b"hunter2-hunter2")
    both = Database(database_url, Vault(f"{OTHER},{KEY}"))
    assert reseal(both, DeliveryRows(inbox.engine, both.vault)) == 1
    both.close()
    new = Database(database_url, Vault(OTHER))
    with new.read() as tables:
        assert tables.signing_keys.private(1) == b"hunter2-hunter2"
    new.close()
