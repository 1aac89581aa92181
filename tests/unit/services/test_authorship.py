"""Whose work a pull request is: everybody who wrote or pushed one of its commits, and whoever opened it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import pytest

from bot.domain.chat import PullChanged, Pushed
from bot.domain.ports.forge import ForgeError
from bot.errors import UserError
from bot.services import authorship
from bot.services.authorship import (
    authors_of,
    authors_of_revert,
    find_pushers,
    pulls_from,
    remember_pushers,
)
from bot.services.context import Context
from tests.integration.storage import samples

PULL = samples.pull(author="Ann", head_sha="c" * 40, base_ref="release")
TIP = "b" * 40


class History:
    """Git knows which commits there are, GitHub whose they are. The asked ranges and commits are written down."""

    def __init__(self, authors: dict[str, set[str]]) -> None:
        self._authors = authors
        self.ranges: list[tuple[str, str, str]] = []
        self.asked: list[tuple[str, list[str]]] = []

    def commits(self, repository: str, base: str, head: str, limit: int) -> list[str]:
        self.ranges.append((repository, base, head))
        return list(self._authors)[:limit]

    def authors(self, repository: str, commits: Sequence[str]) -> frozenset[str]:
        self.asked.append((repository, list(commits)))
        return frozenset(login for commit in commits for login in self._authors[commit])


def world(context: Context, history: object) -> Context:
    ports: Any = history
    return replace(context, git=ports, forge=ports)


def test_all_who_wrote_a_commit_and_who_opened_it(context: Context) -> None:
    history = History({"c1": {"bob", "carol"}, "c2": {"dave"}, "c3": set()})
    assert authors_of(world(context, history), PULL, TIP) == {"ann", "bob", "carol", "dave"}
    assert history.ranges == [("acme/infra", TIP, "c" * 40)]
    assert history.asked == [("acme/infra", ["c1", "c2", "c3"])]


def test_whoever_opened_it_counts_in_lower_case_without_a_commit_of_their_own(context: Context) -> None:
    assert authors_of(world(context, History({})), PULL, TIP) == {"ann"}


def test_as_many_commits_as_are_looked_up(context: Context, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(authorship, "MOST", 2)
    history = History({"c1": {"bob"}, "c2": {"carol"}})
    assert authors_of(world(context, history), PULL, TIP) == {"ann", "bob", "carol"}


def test_too_many_commits_are_refused_and_nobody_is_looked_up(context: Context) -> None:
    history = History({f"c{number}": {"bob"} for number in range(authorship.MOST + 1)})
    with pytest.raises(UserError) as refused:
        authors_of(world(context, history), PULL, TIP)
    assert refused.value.what == (
        "#7 has more than 1,000 commits, too many to find out who wrote them, and authors may not approve their own "
        "change."
    )
    assert refused.value.next_step == "Squash them, or rebase the branch onto `release`."
    assert history.asked == []


def test_a_github_that_does_not_answer_is_no_empty_list(context: Context) -> None:
    class Away(History):
        def authors(self, repository: str, commits: Sequence[str]) -> frozenset[str]:
            raise ForgeError("GitHub did not answer.")

    with pytest.raises(ForgeError):
        authors_of(world(context, Away({"c1": {"bob"}})), PULL, TIP)


# pushers

BRANCH = "refs/heads/more"


def remember(context: Context, *events: PullChanged | Pushed) -> None:
    for event in events:
        with context.store.begin() as tables:
            remember_pushers(tables, event)


def pushers(context: Context, number: int = 7) -> frozenset[str]:
    with context.store.read() as tables:
        return tables.pushers.of_pull("acme/infra", number)


def pushed(login: str, *commits: str, ref: str = BRANCH) -> Pushed:
    return Pushed("acme/infra", ref, commits[0], commits, (login,))


def test_a_webhook_counts_once_and_in_any_order(context: Context) -> None:
    events = [PullChanged("acme/infra", 7, "synchronize", "c" * 40, who) for who in ("Bob", "carol")]
    remember(context, *events, PullChanged("acme/infra", 7, "edited"), *reversed(events))
    assert pushers(context) == {"bob", "carol"}
    assert pushers(context, 8) == frozenset()


def test_a_push_counts_for_the_open_pull_requests_of_its_branch(context: Context) -> None:
    with context.store.begin() as tables:
        tables.pulls.save(samples.pull())
        tables.pulls.save(samples.pull(8, head_ref="other"))
        tables.pulls.save(samples.pull(9, state="closed"))
        tables.pulls.save(samples.pull(10, head_repository="dave/infra"))
    event = pushed("bob", "c1")
    remember(context, event)
    assert [pushers(context, number) for number in (7, 8, 9, 10)] == [{"bob"}, set(), set(), set()]
    with context.store.read() as tables:
        assert [one.number for one in pulls_from(tables, event)] == [7]


def test_who_pushed_its_commits_before_it_was_opened_or_by_another_branch(context: Context) -> None:
    """And stays a pusher after the commits are gone from it."""
    remember(
        context, pushed("bob", "c2", "c1"), pushed("carol", "c9"), pushed("dave", "c1", ref="refs/heads/x")
    )
    assert find_pushers(world(context, History({"c1": set()})), PULL, TIP) == {"bob", "dave"}
    assert pushers(context) == {"bob", "dave"}
    assert find_pushers(world(context, History({})), PULL, TIP) == {"bob", "dave"}
    assert authors_of(world(context, History({"c3": {"erin"}})), PULL, TIP) == {"ann", "bob", "dave", "erin"}


def test_a_merge_into_the_default_branch_changes_nothing_of_anyones(context: Context) -> None:
    with context.store.begin() as tables:
        tables.pulls.save_repository(samples.repository())
        tables.pulls.save(samples.pull(head_ref="main"))
    remember(context, pushed("bob", "c1", ref="refs/heads/main"), pushed("carol", "c1"))
    assert find_pushers(world(context, History({"c1": set()})), PULL, TIP) == {"carol"}


def test_a_revert_is_the_work_of_those_whose_commits_it_brings_back(context: Context) -> None:
    """And of whoever opened the pull request of the release; of nobody where it brings nothing back."""
    plan = samples.plan(target=samples.PROD, reverts="e1", commit="d" * 40, base_commit="e" * 40)
    with context.store.begin() as tables:
        tables.pulls.save(samples.pull(number=7, author="Eve"))
        tables.releases.add(samples.release("e1", samples.PROD))
    history = History({"c1": {"bob"}})
    assert authors_of_revert(world(context, history), plan) == {"bob", "eve"}
    assert history.ranges == [(plan.target.repository, "e" * 40, "d" * 40)]
    assert authors_of_revert(world(context, History({})), plan) == frozenset()


def test_a_revert_that_brings_back_too_much(context: Context, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(authorship, "MOST", 1)
    with pytest.raises(UserError, match="brings back more than 1 commits"):
        authors_of_revert(world(context, History({"c1": set(), "c2": set()})), samples.plan(reverts="e1"))
