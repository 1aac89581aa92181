"""One issue about a failed apply of main: opened, edited, closed by itself, and never opened twice."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from bot.domain.ports.forge import Comment, ForgeError, Issue
from bot.domain.ports.surfaces import Surface
from bot.services.context import Context, stable_id
from bot.services.runs import RunEnd, finish_run
from bot.surfaces import issue
from tests.integration.storage import samples
from tests.unit.services.conftest import NOW, Clock
from tests.unit.services.syncs import APPLY, ONE, TWO, Syncing
from tests.unit.services.world import STAGING

ID = f"issue:{STAGING.key}"


class Failing(Syncing):
    """Applies of main fail. What is written to GitHub's issues is kept; `lost` loses the answer to the next write."""

    def __init__(self, context: Context) -> None:
        super().__init__(context, APPLY)
        self.issues: dict[int, dict[str, Any]] = {}
        self.said: list[tuple[int, str]] = []
        self.lost = False
        self.refused = 0

    def _answer(self) -> None:
        if self.lost:
            self.lost = False
            raise ForgeError("no answer", status=0, retry_after=1.0)

    def open_issue(self, _repository: str, title: str, body: str) -> Issue:
        if self.refused:
            raise ForgeError("refused", status=self.refused)
        number = len(self.issues) + 20
        self.issues[number] = {"title": title, "body": body, "state": "open"}
        self._answer()
        return Issue(number, body, "https://example.com", open=True)

    def edit_issue(self, _repository: str, number: int, **changes: str) -> None:
        if number not in self.issues:
            raise ForgeError("gone", status=410)
        self.issues[number] |= {name: value for name, value in changes.items() if value}
        self._answer()

    def find_issue(self, _repository: str, marker: str) -> Issue | None:
        found = [number for number, one in self.issues.items() if marker in one["body"]]
        return Issue(found[-1], "", "", open=True) if found else None

    def comment(self, _repository: str, number: int, body: str) -> Comment:
        self.said.append((number, body))
        self._answer()
        return Comment(1, "n", "towpath[bot]", body, "", NOW)

    def find_comment(self, _repository: str, number: int, marker: str) -> Comment | None:
        found = [body for one, body in self.said if one == number and marker in body]
        return Comment(1, "n", "towpath[bot]", found[0], "", NOW) if found else None

    def fail(self, number: int = 7, commit: str = ONE) -> None:
        """A merge whose apply fails."""
        self.reviewed(number, "a")
        self.planned = ("a",)
        self.merge(number, commit)
        self.work()
        finish_run(self.context, self.applies[-1], RunEnd("failed", message="507: no capacity left"))
        with self.context.store.begin() as tables:
            tables.locks.release(STAGING)

    def project(self) -> None:
        with self.context.store.read() as tables:
            row = tables.surfaces.get(ID)
        assert row is not None
        assert row.due_at is not None
        shown = issue.project(self.context, row)
        with self.context.store.begin() as tables:
            tables.surfaces.save(replace(shown, due_at=None))

    def surface(self) -> Surface:
        with self.context.store.read() as tables:
            row = tables.surfaces.get(ID)
        assert row is not None
        return row

    def retry(self) -> None:
        """A projector tries again, from what is kept."""
        with self.context.store.begin() as tables:
            tables.surfaces.save(replace(self.surface(), due_at=NOW))
        self.project()

    @property
    def states(self) -> list[str]:
        return [one["state"] for one in self.issues.values()]


@pytest.fixture
def world(context: Context) -> Failing:
    return Failing(context)


def test_it_says_what_failed_where_the_log_is_and_what_to_do(world: Failing) -> None:
    world.context = replace(world.context, link=lambda run_id: f"https://towpath.example.com/runs/{run_id}")
    world.fail()
    world.project()
    ((number, found),) = world.issues.items()
    assert (number, found["title"]) == (20, "staging: apply of the default branch failed")
    for text in (
        "507: no capacity left",
        f"/runs/{world.applies[0].id}",
        "`1111111`",
        "run `/plan staging` on #",
    ):
        assert text in found["body"]


def test_a_second_failure_edits_it(world: Failing) -> None:
    world.fail()
    world.project()
    world.fail(8, TWO)
    world.project()
    assert world.states == ["open"]
    assert "`2222222`" in world.issues[20]["body"]
    assert "Failed 2 times in a row" in world.issues[20]["body"]


def test_a_success_closes_it_with_a_comment_and_the_next_failure_opens_another(
    world: Failing, clock: Clock
) -> None:
    world.fail()
    world.project()
    clock.at += timedelta(minutes=1)
    world.planned = ()
    world.merge(8, TWO)
    world.work()
    world.project()
    assert world.states == ["closed"]
    ((number, said),) = world.said
    assert (number, "staging is in sync again" in said) == (20, True)
    world.retry()
    assert len(world.said) == 1
    clock.at += timedelta(minutes=1)
    world.fail(9, "3" * 40)
    world.project()
    assert world.states == ["closed", "open"]


def test_any_later_release_closes_it(world: Failing, clock: Clock) -> None:
    """Somebody applied another pull request, which fixed it."""
    world.fail()
    world.project()
    clock.at += timedelta(minutes=1)
    with world.context.store.begin() as tables:
        tables.releases.add(replace(samples.release("e1", STAGING), created_at=clock.at))
    world.retry()
    assert world.states == ["closed"]


def test_a_plan_of_main_that_fails_is_a_failure_too(world: Failing) -> None:
    world.merge()
    (run,) = world.enqueued
    finish_run(world.context, run, RunEnd("refused", message="`envs/staging.tfvars` is missing."))
    world.project()
    assert [one["title"] for one in world.issues.values()] == ["staging: plan of the default branch refused"]


def test_where_main_is_only_compared_there_is_none(context: Context) -> None:
    world = Failing(context)
    world.policies = dict.fromkeys(
        world.order, b'[stack.infra]\nroot = "infra"\n[env.staging]\non_merge = "sync"\n'
    )
    world.merge()
    (run,) = world.enqueued
    finish_run(world.context, run, RunEnd("failed", message="no"))
    world.project()
    assert world.issues == {}


def test_a_lost_answer_makes_no_second_issue(world: Failing) -> None:
    world.fail()
    world.lost = True
    with pytest.raises(ForgeError):
        world.project()
    assert world.surface().tried
    world.retry()
    assert world.states == ["open"]
    assert world.surface().external["issue"] == 20


@pytest.mark.parametrize("writes", [1, 2])
def test_a_lost_answer_to_the_end_says_it_once(world: Failing, clock: Clock, writes: int) -> None:
    """writes: whether the comment's answer is lost, or that of closing it."""
    world.fail()
    world.project()
    clock.at += timedelta(minutes=1)
    world.planned = ()
    world.merge(8, TWO)
    world.work()
    answer = world._answer
    left = [writes]

    def losing() -> None:
        left[0] -= 1
        world.lost = left[0] == 0
        answer()

    world._answer = losing  # type: ignore[method-assign]
    with pytest.raises(ForgeError):
        world.project()
    world.retry()
    assert (world.states, len(world.said)) == (["closed"], 1)


def test_a_deleted_issue_is_opened_again(world: Failing) -> None:
    world.fail()
    world.project()
    world.issues.clear()
    world.fail(8, TWO)
    world.project()
    assert world.states == ["open"]


def test_a_repository_without_issues_is_left_alone(world: Failing) -> None:
    world.refused = 410
    world.fail()
    world.project()
    world.retry()
    assert world.issues == {}


def test_smoke_checks_that_fail_are_a_failure_too(world: Failing) -> None:
    """It is applied all the same: the next merge starts from there."""
    world.reviewed(7, "a")
    world.planned = ("a",)
    world.merge()
    world.work()
    (run,) = world.applies
    release = replace(
        samples.release(stable_id(run.id, "release"), STAGING), verification="failed", created_at=NOW
    )
    with world.context.store.begin() as tables:
        tables.releases.add(release)
    finish_run(world.context, run, RunEnd("applied", message="healthz returned 503."))
    world.project()
    assert [one["title"] for one in world.issues.values()] == [
        "staging: apply of the default branch was not verified"
    ]
    assert (world.sync().status, world.sync().unsettled) == ("unverified", False)
