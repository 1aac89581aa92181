"""What people see after a merge: how each environment compares with main, and the issue about a failed apply."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from bot.domain.chat import RunsStarted, Status, TargetStatus
from bot.domain.policy.model import Environment
from bot.domain.sync import Sync, SyncStatus
from bot.render import surfaces
from bot.render.reply import on_github
from tests.unit.render.facts import HEAD, NASTY, NOW, PULL, REPOSITORY, plan, run, target
from tests.unit.render.limits import assert_harmless

STAGING = target("staging")
MERGED = replace(PULL, state="merged")


def sync(status: SyncStatus, **more: Any) -> Sync:
    return Sync("s1", STAGING, HEAD, (12,), more.pop("mode", "apply"), NOW, status, **more)


def shown(found: Sync, **more: Any) -> str:
    """The status comment of the merged pull request."""
    row = TargetStatus(
        STAGING, Environment("staging"), 12, plan=plan(STAGING), sync=found, pull_closed=True, **more
    )
    return surfaces.comment(Status(REPOSITORY, (row,), MERGED, now=NOW))


@pytest.mark.parametrize(
    ("found", "headline", "cell"),
    [
        (sync("in_sync"), "Staging is in sync with main", "✅ in sync with main at `1a2b3c4`"),
        (sync("applied"), "Staging is applied", "✅ applied main at `1a2b3c4`"),
        (sync("planning"), "Staging waits for main", "⏳ comparing with main at `1a2b3c4`"),
        (sync("waiting", message="Nothing verified on dev yet."), "Staging waits for main", "is not applied yet: Nothing verified on dev yet."),
        (sync("differs"), "Staging differs from main", "⚠️ differs from main at `1a2b3c4`"),
        (sync("approval"), "Staging waits for main", "✋ main at `1a2b3c4` is waiting for approval"),
        (sync("failed"), "Staging: main was not applied", "❌ main at `1a2b3c4` was not applied"),
        (sync("failed", mode="sync"), "Staging: main was not applied", "❌ main at `1a2b3c4` could not be compared"),
        (sync("unverified"), "Staging: main was not verified", "❌ main at `1a2b3c4` was applied, but its smoke checks failed"),
        (sync("cancelled"), "Staging waits for main", "main at `1a2b3c4` was not compared: cancelled"),
    ],
    ids=lambda one: one.status if isinstance(one, Sync) else "",
)  # fmt: skip
def test_every_state_has_its_words(found: Sync, headline: str, cell: str) -> None:
    text = shown(found)
    assert f"**{headline}**" in text
    assert cell in text
    assert "not applied**" not in text.replace("main was not applied**", "")


def test_the_default_branch_has_its_own_name() -> None:
    row = TargetStatus(STAGING, Environment("staging"), 12, sync=sync("in_sync"), pull_closed=True)
    pull = replace(MERGED, base_ref="trunk")
    text = surfaces.comment(Status(REPOSITORY, (row,), pull, now=NOW))
    assert "✅ in sync with trunk" in text
    assert "main" not in text


def test_a_run_in_progress_comes_first() -> None:
    running = run(STAGING, kind="apply", phase="applying", outcome=None)
    assert "apply running" in shown(sync("applying"), run=running)


def test_texts_from_outside_are_harmless() -> None:
    assert_harmless(shown(sync("differs", message=NASTY)))
    failed = run(STAGING, kind="apply", outcome="failed", message=NASTY)
    title, body = surfaces.issue(failed, 2, "https://towpath.example.com/runs/x")
    assert_harmless(body)
    assert len(title) <= 256
    assert len(body) < 65_536


def test_a_plan_of_main_that_was_asked_for_in_slack() -> None:
    started = RunsStarted((run(STAGING, kind="sync", phase="queued", outcome=None),), {})
    assert "Planning the default branch in **staging**" in on_github(started)
