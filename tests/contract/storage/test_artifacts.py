"""Artifacts and their tickets, on SQLite and on Postgres."""

from __future__ import annotations

from dataclasses import replace

import pytest
from sqlalchemy import select
from sqlalchemy.exc import IntegrityError

from bot.domain.ports.records import Ticket
from bot.storage.database import Database
from bot.storage.inbox import DeliveryRows
from bot.storage.reseal import reseal
from bot.storage.tables import artifacts, tickets
from bot.vault import SealError, Vault
from tests.contract.storage.records import CONTENT, artifact
from tests.fixtures.storage import KEY
from tests.integration.storage.samples import MINUTE, NOW, PROD, TEST, at_once

OTHER = "another-key-for-tests-and-nothing-else"
TICKET = Ticket("d" * 64, "f1", "ann", NOW + MINUTE)


def test_an_artifact_comes_back_with_its_content(store: Database) -> None:
    elsewhere = artifact("f4", replace(PROD, repository="acme/shop"))
    every = [artifact("f1"), artifact("f2", TEST), artifact("f3", name="ca"), elsewhere]
    with store.begin() as tables:
        for one in every:
            tables.artifacts.keep(one, CONTENT + one.id.encode())
    with store.read() as tables:
        assert tables.artifacts.get(PROD, "kubeconfig") == tables.artifacts.by_id("f1") == every[0]
        assert tables.artifacts.get(PROD, "none") is tables.artifacts.by_id("f9") is None
        assert tables.artifacts.of_target(PROD) == [every[2], every[0]]
        assert tables.artifacts.of_repository("acme/infra") == [every[2], every[0], every[1]]
        assert tables.artifacts.of_repository("acme/none") == []
        assert tables.artifacts.content("f2") == CONTENT + b"f2"
        with pytest.raises(KeyError):
            tables.artifacts.content("f9")


def test_a_newer_one_replaces_it_whole(store: Database) -> None:
    newer = artifact("f2", release_id="e2", digest="e" * 64, created_at=NOW + MINUTE)
    with store.begin() as tables:
        tables.artifacts.keep(artifact(), CONTENT)
        tables.artifacts.keep(artifact(), CONTENT)
        tables.artifacts.keep(newer, b"new")
        assert tables.artifacts.of_target(PROD) == [newer]
        assert tables.artifacts.content("f2") == b"new"
        assert tables.artifacts.by_id("f1") is None
        with pytest.raises(KeyError):
            tables.artifacts.content("f1")


def test_of_many_kept_at_once_one_stays(store: Database) -> None:
    def keep(number: int) -> None:
        with store.begin() as tables:
            tables.artifacts.keep(artifact(f"f{number}"), str(number).encode())

    assert at_once(8, keep) == [None] * 8
    with store.read() as tables:
        (left,) = tables.artifacts.of_target(PROD)
        assert tables.artifacts.content(left.id).decode() == left.id[1:]


def test_its_content_is_sealed_and_bound_to_it(store: Database) -> None:
    with store.begin() as tables:
        tables.artifacts.keep(artifact(), CONTENT)
        tables.artifacts.keep(artifact("f2", TEST), b"other")
        mine = select(artifacts.c.content).where(artifacts.c.id == "f1")
        sealed = tables.connection.execute(mine).scalar_one()
        assert b"hunter2" not in sealed
        tables.connection.execute(artifacts.update().values(content=sealed))
        assert tables.artifacts.content("f1") == CONTENT
        with pytest.raises(SealError, match="belong to another row"):
            tables.artifacts.content("f2")


def test_it_is_sealed_anew_with_the_rest(store: Database, database_url: str, inbox: DeliveryRows) -> None:
    with store.begin() as tables:
        tables.artifacts.keep(artifact(), CONTENT)
    both = Database(database_url, Vault(f"{OTHER},{KEY}"))
    assert reseal(both, DeliveryRows(inbox.engine, both.vault)) == 1
    both.close()
    new = Database(database_url, Vault(OTHER))
    with new.read() as tables:
        assert tables.artifacts.content("f1") == CONTENT
    new.close()


def test_a_ticket_works_once(store: Database) -> None:
    with store.begin() as tables:
        tables.artifacts.issue(TICKET)
        assert tables.artifacts.redeem("e" * 64, NOW) is None
        assert tables.artifacts.redeem(TICKET.digest, NOW) == TICKET
        assert tables.artifacts.redeem(TICKET.digest, NOW) is None


def test_of_many_who_redeem_one_ticket_one_does(store: Database) -> None:
    with store.begin() as tables:
        tables.artifacts.issue(TICKET)

    def redeem(_number: int) -> Ticket | None:
        with store.begin() as tables:
            return tables.artifacts.redeem(TICKET.digest, NOW)

    assert sorted(at_once(8, redeem), key=str) == [None] * 7 + [TICKET]


def test_an_expired_ticket_works_no_more_and_goes(store: Database) -> None:
    with store.begin() as tables:
        tables.artifacts.issue(TICKET)
        tables.artifacts.issue(replace(TICKET, digest="e" * 64))
        assert tables.artifacts.redeem(TICKET.digest, TICKET.expires_at) is None
        assert tables.connection.execute(select(tickets)).all() == []


def test_a_token_is_issued_once(store: Database) -> None:
    with store.begin() as tables:
        tables.artifacts.issue(TICKET)
    with pytest.raises(IntegrityError), store.begin() as tables:
        tables.artifacts.issue(replace(TICKET, login="dave"))
