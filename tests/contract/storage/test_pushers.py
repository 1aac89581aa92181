"""Who pushed, on both databases."""

from __future__ import annotations

from bot.storage.database import Database
from bot.storage.rows import CHUNK

REPO = "acme/infra"


def test_logins_are_added_once_and_in_lower_case(store: Database) -> None:
    for logins in (["Bob"], ["bob", "carol"], []):
        with store.begin() as tables:
            tables.pushers.add(REPO, 7, logins)
    with store.read() as tables:
        assert tables.pushers.of_pull(REPO, 7) == {"bob", "carol"}
        assert tables.pushers.of_pull(REPO, 8) == frozenset()
        assert tables.pushers.of_pull("acme/other", 7) == frozenset()


def test_who_pushed_any_of_many_commits(store: Database) -> None:
    commits = [f"{number:040x}" for number in range(CHUNK + 1)]
    for logins in (["ann"], ["ann", "Bob"]):
        with store.begin() as tables:
            tables.pushers.add_commits(REPO, commits, logins)
    with store.read() as tables:
        assert tables.pushers.of_commits(REPO, [*commits[-1:], "x"]) == {"ann", "bob"}
        assert tables.pushers.of_commits(REPO, commits) == {"ann", "bob"}
        assert tables.pushers.of_commits(REPO, []) == frozenset()
        assert tables.pushers.of_commits("acme/other", commits) == frozenset()
