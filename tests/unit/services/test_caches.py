"""What use cases remember, how long, and for whom."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from bot.domain.ports.forge import ForgeError
from bot.services.caches import Cache, Caches
from bot.services.context import Context
from bot.services.pulls import confirm_repositories
from bot.services.targets import policy_at, tip_of
from bot.storage.database import Database
from tests.fixtures.context import bare
from tests.integration.storage import samples


class Timer:
    """Stands still until a test moves it."""

    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


class Asked:
    """Answers with 1, 2, 3, …; takes `takes` seconds for each."""

    def __init__(self, timer: Timer | None = None, takes: float = 0.0) -> None:
        self.times, self._timer, self._takes = 0, timer, takes

    def __call__(self) -> int:
        self.times += 1
        if self._timer is not None:
            self._timer.now += self._takes
        return self.times


def test_each_reader_says_how_old_a_value_may_be() -> None:
    timer = Timer()
    cache, ctx = Cache[str, int](timer=timer), Asked()
    assert cache.get("key", ctx, 0.0) == 1
    timer.now += 4.9
    assert cache.get("key", ctx, 5.0) == 1
    assert cache.get("key", ctx) == 1
    timer.now += 0.1
    assert cache.get("key", ctx, 5.0) == 2, "not at the limit itself"
    assert cache.get("key", ctx, 0.0) == 3, "0: always asked"
    assert cache.get("other", ctx, 5.0) == 4


def test_the_age_counts_from_the_answer() -> None:
    timer = Timer()
    cache, ctx = Cache[str, int](timer=timer), Asked(timer, takes=3.0)
    cache.get("key", ctx)
    timer.now += 1.0
    assert cache.get("key", ctx, 2.0) == 1


def test_the_least_recently_used_goes_first() -> None:
    cache, ctx = Cache[str, int](2), Asked()
    cache.get("a", ctx)
    cache.get("b", ctx)
    assert cache.get("a", ctx) == 1
    cache.get("c", ctx)
    assert cache.get("a", ctx) == 1
    assert cache.get("b", ctx) == 4


def test_nothing_is_kept_of_a_failure_and_none_is_a_value() -> None:
    cache, answers = Cache[str, int | None](), iter([ForgeError("away"), None])

    def ctx() -> int | None:
        answer = next(answers)
        if isinstance(answer, ForgeError):
            raise answer
        return answer

    with pytest.raises(ForgeError):
        cache.get("key", ctx)
    assert cache.get("key", ctx) is None
    assert cache.get("key", ctx) is None


def test_a_forgotten_value_is_asked_for_again() -> None:
    cache, ctx = Cache[str, int](), Asked()
    cache.get("key", ctx)
    cache.forget("key")
    cache.forget("never heard of")
    assert cache.get("key", ctx) == 2


class Forge:
    """Has one pull request and one branch, at a commit that moves with each request."""

    def __init__(self) -> None:
        self.asked = 0
        self.branch = "main"

    def head_of(self, _repository: str, _branch: str) -> str:
        self.asked += 1
        return f"{self.asked:040x}"

    def pull(self, _repository: str, number: int) -> Any:
        self.asked += 1
        return samples.pull(number=number, head_sha=f"{self.asked:040x}")

    def repository(self, name: str) -> Any:
        self.asked += 1
        return replace(samples.repository(name), default_branch=self.branch)


def made(database: Database, tmp_path: Any, timer: Timer) -> Context:
    return bare(database, tmp_path, forge=Forge(), caches=Caches(timer))


def test_a_tip_and_a_pull_request_may_be_as_old_as_their_reader_says(
    database: Database, tmp_path: Any
) -> None:
    timer = Timer()
    context = made(database, tmp_path, timer)
    for read in (
        lambda at_most: tip_of(context, "acme/infra", "main", at_most),
        lambda at_most: context.refresh("acme/infra", 7, at_most).head_sha,
    ):
        first = read(0.0)
        timer.now += 4.0
        assert read(5.0) == first
        second = read(0.0)
        assert second != first
        assert read(5.0) == second
        timer.now += 5.0
        assert read(5.0) != second


def test_a_repositorys_row_is_read_again_after_a_while_and_once_it_changed(
    database: Database, tmp_path: Any
) -> None:
    timer = Timer()
    context = made(database, tmp_path, timer)
    row = context.known("acme/infra")
    with database.begin() as tables:
        tables.pulls.save_repository(replace(row, default_branch="trunk"))
    assert context.known("acme/infra") == row
    timer.now += 5.0
    assert context.known("acme/infra").default_branch == "trunk"


def test_what_a_payload_says_of_a_repository_is_only_a_reason_to_ask(
    database: Database, tmp_path: Any
) -> None:
    timer, forge = Timer(), Forge()
    context = bare(database, tmp_path, forge=forge, caches=Caches(timer))
    row = context.known("acme/infra")
    context.learn(row)
    assert forge.asked == 1, "it says what is known"
    for claim in (
        replace(row, default_branch="evil"),
        replace(row, clone_url="https://evil.example.com/x.git"),
        replace(row, private=not row.private),
    ):
        context.learn(claim)
        context.learn(claim)
        assert context.known("acme/infra") == row
    assert forge.asked == 4, "once for each claim"
    forge.branch = "trunk"
    context.learn(replace(row, default_branch="trunk"))
    assert context.known("acme/infra").default_branch == "trunk"
    timer.now += 30.0
    context.learn(row)
    assert context.known("acme/infra").default_branch == "trunk", "an old payload came late"


def test_a_renamed_branch_is_found_without_a_payload(database: Database, tmp_path: Any) -> None:
    forge = Forge()
    context = bare(database, tmp_path, forge=forge)
    context.known("acme/infra")
    forge.branch = "trunk"
    confirm_repositories(context)
    assert context.known("acme/infra").default_branch == "trunk"


def test_two_contexts_share_nothing(database: Database, tmp_path: Any) -> None:
    one, other = (made(database, tmp_path, Timer()) for _ in range(2))
    tip_of(one, "acme/infra", "main", 60.0)
    tip_of(one, "acme/infra", "main", 60.0)
    tip_of(other, "acme/infra", "main", 60.0)
    assert [context.forge.asked for context in (one, other)] == [1, 1]  # type: ignore[attr-defined]


def test_a_commit_without_a_policy_is_read_once(database: Database, tmp_path: Any) -> None:
    read: list[str] = []

    class Git:
        def read(self, _repository: str, commit: str, _path: str) -> bytes | None:
            read.append(commit)
            return None

    context = bare(database, tmp_path, git=Git())
    for _ in range(2):
        assert policy_at(context, "acme/infra", "a" * 40) is None
    assert policy_at(context, "acme/infra", "b" * 40) is None
    assert read == ["a" * 40, "b" * 40]
