"""The merge queue's own commits: by App as check runs, by token as commit statuses."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from bot.domain.chat.events import MergeGroupRequested
from bot.domain.ports.forge import CheckRun, Conclusion, ForgeError
from bot.domain.ports.surfaces import Surface
from bot.domain.run import Run
from bot.domain.target import Target
from bot.services.context import Context, show_run
from bot.services.pulls.events import merge_group_requested
from bot.storage.database import Database
from bot.surfaces import merge_queue, plan_check
from tests.fixtures.context import bare
from tests.integration.github.world import REPO, World
from tests.integration.storage import samples

STAGING, PROD = Target(REPO, "infra", "staging"), Target(REPO, "infra", "prod")
Has = Callable[..., None]


@pytest.fixture
def context(either: World, sqlite_url: str, vault: Any, tmp_path: Path) -> Any:
    database = Database(sqlite_url, vault)
    yield bare(database, tmp_path, forge=either.forge)
    database.close()


@pytest.fixture
def has(context: Context, monkeypatch: pytest.MonkeyPatch) -> Has:
    """What a pull request's own check says: has(number, target, conclusion or None, commit)."""
    said: dict[str, CheckRun] = {}

    def make(number: int, target: Target, conclusion: Conclusion | None, commit: str = "") -> None:
        subject = f"{target.key}#{number}"
        status: Any = "completed" if conclusion else "in_progress"
        head = commit or context.forge.pull(REPO, number).head_sha
        said[subject] = CheckRun(
            plan_check.name_of(target), head, status, conclusion, f"{target} is {conclusion}", "…"
        )
        with context.store.begin() as tables:
            tables.surfaces.save(Surface(f"check:{subject}", "check", subject, REPO, number))

    monkeypatch.setattr(merge_queue, "current_check", lambda _context, surface: said.get(surface.subject))
    return make


def asked(context: Context, number: int, sha: str, base: str = "") -> str:
    merge_group_requested(context, MergeGroupRequested(REPO, number, sha, base or "0" * 40))
    return f"queue:{REPO}@{sha}"


def due(context: Context, surface_id: str) -> bool:
    with context.store.read() as tables:
        found = tables.surfaces.get(surface_id)
    return found is not None and found.due_at is not None


def project(context: Context, surface_id: str) -> Surface:
    """As the projector does it."""
    with context.store.read() as tables:
        found = tables.surfaces.get(surface_id)
    assert found is not None
    shown = replace(merge_queue.project(context, found), due_at=None)
    with context.store.begin() as tables:
        tables.surfaces.save(shown)
    return shown


def shows(either: World, conclusion: str) -> tuple[str, str | None]:
    """How a conclusion is seen, which a commit status says in its own words."""
    if either.by_app:
        return "completed", conclusion
    if conclusion == "action_required":
        return "in_progress", None
    return "completed", "success" if conclusion == "neutral" else conclusion


@pytest.mark.parametrize("conclusion", ["success", "neutral", "failure", "action_required"])
def test_it_repeats_what_the_pull_request_has(
    either: World, context: Context, has: Has, conclusion: Conclusion
) -> None:
    has(either.number, STAGING, conclusion)
    has(either.number, PROD, "success")
    sha = either.hub.queue_pull(REPO, either.number, actor="bob")
    project(context, asked(context, either.number, sha))
    shown = either.hub.checks_on(REPO, sha)
    assert {name: one[:2] for name, one in shown.items()} == {
        "towpath/staging": shows(either, conclusion),
        "towpath/prod": ("completed", "success"),
    }
    assert f"#{either.number}" in shown["towpath/staging"][2]


def test_one_that_is_not_done_holds_the_queue_until_it_is(either: World, context: Context, has: Has) -> None:
    has(either.number, STAGING, None)
    sha = either.hub.queue_pull(REPO, either.number, actor="bob")
    group = asked(context, either.number, sha)
    project(context, group)
    assert either.hub.checks_on(REPO, sha)["towpath/staging"][:2] == ("in_progress", None)
    has(either.number, STAGING, "success")
    ended(context, either.number)
    assert due(context, group)
    project(context, group)
    assert either.hub.checks_on(REPO, sha)["towpath/staging"][:2] == ("completed", "success")


def test_a_result_of_an_older_head_is_none(either: World, context: Context, has: Has) -> None:
    has(either.number, STAGING, "success", "d" * 40)
    sha = either.hub.queue_pull(REPO, either.number, actor="bob")
    project(context, asked(context, either.number, sha))
    assert either.hub.checks_on(REPO, sha)["towpath/staging"][:2] == ("in_progress", None)


def test_a_plan_that_comes_after_the_queue_asked(either: World, context: Context, has: Has) -> None:
    sha = either.hub.queue_pull(REPO, either.number, actor="bob")
    group = asked(context, either.number, sha)
    project(context, group)
    assert either.hub.checks_on(REPO, sha) == {}
    has(either.number, STAGING, "success")
    ended(context, either.number)
    assert due(context, group)
    project(context, group)
    assert either.hub.checks_on(REPO, sha)["towpath/staging"][:2] == ("completed", "success")


@pytest.mark.parametrize("order", ["as they came", "the second first"])
def test_two_behind_one_another(either: World, context: Context, has: Has, order: str) -> None:
    """The second group has both pull requests, so it shows the worst of both; the first only its own."""
    first = either.number
    either.hub.commit_files(REPO, "other", {"other.tf": "# other\n"}, author="ann", message="Other")
    second = either.hub.open_pull(REPO, author="ann", head="other", title="Other")
    has(first, STAGING, "failure")
    has(second, STAGING, "success")
    has(second, PROD, "success")
    ahead = either.hub.queue_pull(REPO, first, actor="bob")
    behind = either.hub.queue_pull(REPO, second, actor="bob", behind=ahead)
    if order == "as they came":
        groups = [asked(context, first, ahead), asked(context, second, behind, ahead)]
        for group in groups:
            project(context, group)
    else:
        last = asked(context, second, behind, ahead)
        project(context, last)
        assert either.hub.checks_on(REPO, behind)["towpath/staging"][:2] == ("completed", "success")
        group = asked(context, first, ahead)
        assert due(context, last), "what is known of the one ahead is shown at the one behind"
        project(context, group)
        project(context, last)
    assert {name: one[1] for name, one in either.hub.checks_on(REPO, ahead).items()} == {
        "towpath/staging": "failure"
    }
    shown = either.hub.checks_on(REPO, behind)
    assert {name: one[1] for name, one in shown.items()} == {
        "towpath/staging": "failure",
        "towpath/prod": "success",
    }
    ended(context, first)
    assert due(context, last if order != "as they came" else groups[1])


def test_nothing_is_said_twice(either: World, context: Context, has: Has) -> None:
    has(either.number, STAGING, "success")
    sha = either.hub.queue_pull(REPO, either.number, actor="bob")
    group = asked(context, either.number, sha)
    project(context, group)
    before = len(either.hub.exchanges)
    project(context, group)
    assert [one for one in list(either.hub.exchanges)[before:] if one.method != "GET"] == []


def test_a_lost_answer(either: World, context: Context, has: Has) -> None:
    """GitHub made the check, and its answer never came: it is found again."""
    has(either.number, STAGING, "success")
    has(either.number, PROD, "success")
    sha = either.hub.queue_pull(REPO, either.number, actor="bob")
    group = asked(context, either.number, sha)
    either.hub.faults.add("POST", "/check-runs$|/statuses/", "drop_response")
    with pytest.raises(ForgeError):
        project(context, group)
    project(context, group)
    shown = either.hub.checks_on(REPO, sha)
    assert {name: one[1] for name, one in shown.items()} == {
        "towpath/staging": "success",
        "towpath/prod": "success",
    }
    made = [one for one in either.hub.state.checks.values() if one.head_sha == sha]
    assert len(made) == (2 if either.by_app else 0)


def test_a_long_title_is_cut(either: World, context: Context) -> None:
    pull = context.forge.pull(REPO, either.number)
    own = CheckRun("towpath/staging", pull.head_sha, "completed", "success", "x" * 255, "…")
    made = merge_queue.repeated("towpath/staging", "e" * 40, [(pull, own)])
    assert len(made.title) == 255


def ended(context: Context, number: int) -> None:
    """A run of the pull request ends."""
    run: Run = samples.run(f"r{number}", target=STAGING, pull=number)
    with context.store.begin() as tables:
        show_run(tables, context.now(), run)
