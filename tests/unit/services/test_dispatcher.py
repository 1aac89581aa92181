"""The dispatcher: what it records before deliveries wait in their queues."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import Any

import pytest

from bot.chat.deliveries import note_pushers
from bot.domain.chat import Request
from bot.domain.ports.inbox import Delivery
from bot.domain.ports.store import Tables
from bot.intake import github
from bot.intake.github import GitHubIntake
from bot.jobs.dispatcher import Dispatcher
from bot.storage.database import Database
from bot.storage.inbox import DeliveryRows
from tests.unit.services.webhooks import PAYLOADS, comment, send


class Work:
    """The queue. `fails`: it cannot be written to."""

    def __init__(self) -> None:
        self.fails = False
        self.enqueued: list[str] = []

    def enqueue_deliveries(self, tables: Tables, deliveries: Sequence[Delivery]) -> None:
        if self.fails:
            raise ConnectionError("away")
        assert tables.pushers.of_pull("acme/infra", 7), "recorded before, in the same transaction"
        self.enqueued += [one.id for one in deliveries]


def understand(delivery: Delivery) -> list[Request]:
    if delivery.id == "broken":
        raise ValueError("not as it was")
    return github.parse_requests(delivery, lambda: "towpath[bot]")


@pytest.fixture
def work() -> Work:
    return Work()


@pytest.fixture
def dispatcher(inbox: DeliveryRows, database: Database, work: Work) -> Dispatcher:
    queues: Any = work
    return Dispatcher(inbox, database, queues, partial(note_pushers, understand))


def pushers(database: Database) -> frozenset[str]:
    with database.read() as tables:
        return tables.pushers.of_pull("acme/infra", 7)


def test_who_pushed_is_known_while_the_delivery_still_waits(
    intake: GitHubIntake, dispatcher: Dispatcher, database: Database, work: Work
) -> None:
    """Behind as many comments as anybody likes to write."""
    for number in (1, 2, 3):
        written = comment()
        written["comment"]["id"] = number
        send(intake, written)
    send(intake, PAYLOADS["pull_request"], "pull_request", x_github_delivery="p")
    dispatcher.once()
    assert work.enqueued == ["comment-1", "comment-2", "comment-3", "p"]
    assert pushers(database) == {"ann"}


def test_nothing_is_lost_or_kept_apart_by_a_failure(
    intake: GitHubIntake, dispatcher: Dispatcher, database: Database, work: Work
) -> None:
    send(intake, PAYLOADS["pull_request"], "pull_request")
    work.fails = True
    with pytest.raises(ConnectionError):
        dispatcher.once()
    assert pushers(database) == frozenset()
    work.fails = False
    dispatcher.once()
    assert pushers(database) == {"ann"}


def test_a_delivery_that_cannot_be_read_stops_no_other(
    intake: GitHubIntake, dispatcher: Dispatcher, database: Database, work: Work
) -> None:
    send(intake, PAYLOADS["push"], "push", x_github_delivery="broken")
    send(intake, PAYLOADS["pull_request"], "pull_request", x_github_delivery="p")
    dispatcher.once()
    assert work.enqueued == ["broken", "p"]
    assert pushers(database) == {"ann"}
