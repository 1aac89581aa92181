"""A context over a real database, with a clock that tests set; ports that these tests do not reach are absent."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from bot.domain.ports.chat import ChatError, ChatUser
from bot.intake.github import GitHubIntake
from bot.services.context import Context
from bot.storage.database import Database
from bot.storage.inbox import DeliveryRows, open_inbox
from bot.vault import Vault
from tests.fixtures.context import bare
from tests.unit.services.webhooks import SECRET

NOW = datetime(2030, 1, 2, 3, 4, 5, tzinfo=UTC)


class Clock:
    """Stands still until a test moves it."""

    def __init__(self) -> None:
        self.at = NOW

    def __call__(self) -> datetime:
        return self.at

    def pass_by(self, **length: float) -> None:
        self.at += timedelta(**length)


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def database(sqlite_url: str, vault: Vault) -> Iterator[Database]:
    """A migrated SQLite database in a directory of the test's own."""
    made = Database(sqlite_url, vault)
    yield made
    made.close()


@pytest.fixture
def context(database: Database, clock: Clock, tmp_path: Path) -> Context:
    """Its Slack workspace is T1. U3 is of another one, U4 of another one of the same organization, U5 was deactivated."""
    teams = {"U3": {"T2"}, "U4": {"T1", "T4"}, "U08": {"T3"}}

    def slack_user(user: str) -> ChatUser:
        if not user.startswith("U"):
            raise ChatError("unknown", code="user_not_found")
        return ChatUser(
            user, frozenset(teams.get(user, {"T1"})), f"name-{user}", f"Full {user}", active=user != "U5"
        )

    return bare(
        database,
        tmp_path,
        logins={"U09": "carol", "T3/U08": "bob"},
        team=lambda: "T1",
        slack_user=slack_user,
        now=clock,
    )


class Bell:
    """Counts rings."""

    def __init__(self) -> None:
        self.rings = 0

    def __call__(self) -> None:
        self.rings += 1


@pytest.fixture
def inbox(database: Database, tmp_path: Path) -> Iterator[DeliveryRows]:
    made = open_inbox(database, tmp_path / "inbox.db")
    yield made
    made.close()


@pytest.fixture
def bell() -> Bell:
    return Bell()


@pytest.fixture
def intake(inbox: DeliveryRows, bell: Bell) -> GitHubIntake:
    return GitHubIntake(inbox, SECRET, bell)
