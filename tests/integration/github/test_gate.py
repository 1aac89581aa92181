"""The gates' checks on real pull requests: by App as check runs, by token as commit statuses."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from bot.domain.actors import Actor
from bot.domain.chat import Status
from bot.domain.chat.events import CheckRerequested, PullChanged, Pushed
from bot.domain.ports.surfaces import Surface
from bot.domain.refusal import GateAnswer, Refused
from bot.domain.release import Release
from bot.domain.run import Origin
from bot.domain.target import Target
from bot.git import Mirrors
from bot.playground.github.user_actions import PullOptions
from bot.services.context import Context, SurfaceKey, show
from bot.services.pulls.events import check_rerequested, pull_changed, pushed
from bot.services.pulls.status import pull_status
from bot.storage.database import Database
from bot.surfaces import gate_check
from tests.fixtures.context import bare
from tests.integration.github.test_queue import asked, due
from tests.integration.github.test_queue import project as project_group
from tests.integration.github.world import REPO, World
from tests.integration.storage import samples

NAME = "towpath/gate/prod"
PROD = Target(REPO, "infra", "prod")
POLICY = '[stack.infra]\nroot = "infra"\n[env.staging]\n[env.prod]\npromote_from = "staging"\n'
ENGINE = "terraform 1.11.4"


@pytest.fixture
def context(either: World, sqlite_url: str, vault: Any, tmp_path: Path) -> Iterator[Context]:
    """Policy on main: prod takes what staging has verified."""
    either.hub.commit_files(
        REPO, "main", {"envs/environments.toml": POLICY}, author="carol", message="Policy"
    )
    terraform: Any = SimpleNamespace(
        engine=SimpleNamespace(identity=ENGINE),
        module_users=lambda *_facts: frozenset(),
        providers=lambda *_facts: (),
        backend_block=lambda _root: ("", {}),
        sensitive_variables=lambda *_facts: frozenset(),
        var_file_values=lambda *_facts: (),
    )
    database = Database(sqlite_url, vault)
    yield bare(
        database,
        tmp_path / "data",
        forge=either.forge,
        git=Mirrors(tmp_path / "data"),
        terraform=terraform,
        work=SimpleNamespace(enqueue=lambda *_facts: None, wake=lambda: None),
    )
    database.close()


def changed(context: Context, number: int, action: str = "opened") -> None:
    """A pull request's event."""
    pull_changed(context, PullChanged(REPO, number, action), "d-1")


def project(context: Context, number: int) -> Surface:
    """As the projector does it, once it is due."""
    with context.store.read() as tables:
        found = tables.surfaces.get(f"gate:{REPO}#{number}")
    assert found is not None
    assert found.due_at is not None
    shown = replace(gate_check.project(context, found), due_at=None)
    with context.store.begin() as tables:
        tables.surfaces.save(shown)
    return shown


def want(context: Context, number: int) -> Surface:
    with context.store.begin() as tables:
        show(tables, context.now(), SurfaceKey("gate", f"{REPO}#{number}", REPO, number))
    return project(context, number)


def shown(either: World, sha: str, name: str = NAME) -> tuple[str, str | None]:
    return either.hub.checks_on(REPO, sha).get(name, ("", None, ""))[:2]


def barred(either: World) -> tuple[str, str | None]:
    """GitHub has no status that asks for an action; `pending` holds a merge as well."""
    return ("completed", "action_required") if either.by_app else ("in_progress", None)


def writes(either: World) -> int:
    return sum(
        one.method != "GET" and ("/check-runs" in one.path or "/statuses" in one.path)
        for one in either.hub.exchanges
    )


def plan(context: Context, sha: str, number: int, **more: Any) -> None:
    with context.store.begin() as tables:
        tables.plans.add(
            samples.plan(f"p-{sha[:5]}-{len(more)}", commit=sha, pull=number, target=PROD, **more),
            samples.FILE,
        )


def test_every_open_pull_request_has_it(either: World, context: Context) -> None:
    """One that touches the stack, one that touches none, a draft, and one from a fork."""
    hub = either.hub
    changed(context, either.number)
    project(context, either.number)
    assert shown(either, either.sha) == barred(either)

    words = hub.commit_files(REPO, "words", {"README.md": "More\n"}, author="ann", message="Words")
    other = hub.open_pull(REPO, author="ann", head="words", title="Words")
    changed(context, other)
    project(context, other)
    assert shown(either, words) == ("completed", "success")

    early = hub.commit_files(REPO, "early", {"infra/a.tf": "# a\n"}, author="ann", message="Early")
    draft = hub.open_pull(REPO, author="ann", head="early", title="Early", options=PullOptions(draft=True))
    changed(context, draft)
    project(context, draft)
    assert shown(either, early) == barred(either)

    fork = hub.fork(REPO, "dave")
    idea = hub.commit_files(fork, "idea", {"infra/main.tf": "# fork\n"}, author="dave", message="Idea")
    hub.set_role(REPO, "dave", "read")
    foreign = hub.open_pull(REPO, author="dave", head="idea", title="Idea", fork=fork)
    changed(context, foreign)
    project(context, foreign)
    assert shown(either, idea) == barred(either)
    assert "towpath/gate/staging" not in hub.checks_on(REPO, either.sha)


def test_it_follows_the_plan_and_is_written_only_when_it_changes(either: World, context: Context) -> None:
    changed(context, either.number)
    project(context, either.number)
    before = writes(either)
    want(context, either.number)
    assert writes(either) == before
    plan(context, either.sha, either.number, engine=ENGINE, status="applied")
    want(context, either.number)
    assert shown(either, either.sha) == ("completed", "success")
    assert writes(either) == before + 1


def test_a_new_head_has_its_own(either: World, context: Context) -> None:
    changed(context, either.number)
    plan(context, either.sha, either.number, status="applied")
    project(context, either.number)
    assert shown(either, either.sha) == ("completed", "success")
    head = either.hub.commit_files(REPO, "feature", {"infra/b.tf": "# b\n"}, author="ann", message="More")
    changed(context, either.number, "synchronize")
    project(context, either.number)
    assert shown(either, head) == barred(either)
    assert shown(either, either.sha) == ("completed", "success")


def test_an_apply_is_in_progress_and_its_old_head_is_not_left_so(either: World, context: Context) -> None:
    changed(context, either.number)
    run = samples.run(
        "apply-1", kind="apply", target=PROD, pull=either.number, commit=either.sha, phase="applying"
    )
    with context.store.begin() as tables:
        tables.runs.add(run)
    project(context, either.number)
    assert shown(either, either.sha) == ("in_progress", None)
    head = either.hub.commit_files(REPO, "feature", {"infra/b.tf": "# b\n"}, author="ann", message="More")
    changed(context, either.number, "synchronize")
    project(context, either.number)
    if either.by_app:
        assert shown(either, either.sha) == ("completed", "neutral")
    assert shown(either, head) == ("in_progress", None)
    either.hub.close_pull(REPO, either.number, actor="ann")
    with context.store.begin() as tables:
        tables.runs.update(run.id, phase="finished", outcome="failed")
    context.refresh(REPO, either.number)
    want(context, either.number)
    assert shown(either, head) == barred(either)
    before = writes(either)
    want(context, either.number)
    assert writes(either) == before


def test_a_failed_verification_is_told(either: World, context: Context) -> None:
    changed(context, either.number)
    plan(context, either.sha, either.number, status="applied")
    checks = ({"name": "healthz", "ok": False, "message": "503", "seconds": 1.0},)
    digest = samples.plan().digest
    left = Release("rel", PROD, "r", digest, either.sha, either.number, Actor("ann"), 1, context.now())
    with context.store.begin() as tables:
        tables.releases.add(replace(left, verification="failed", checks=checks))
    project(context, either.number)
    assert shown(either, either.sha) == ("completed", "failure")
    with context.store.begin() as tables:
        tables.releases.update("rel", verification="running")
    want(context, either.number)
    assert shown(either, either.sha) == ("in_progress", None)
    with context.store.begin() as tables:
        tables.releases.update("rel", verification="passed")
    want(context, either.number)
    assert shown(either, either.sha) == ("completed", "success")


def test_an_answer_that_was_lost_makes_no_second_one(either: World, context: Context) -> None:
    changed(context, either.number)
    either.hub.faults.add("POST", "/check-runs" if either.by_app else "/statuses", "drop_response")
    with pytest.raises(Exception, match="GitHub"):
        project(context, either.number)
    project(context, either.number)
    made = [one for one in either.hub.state.checks.values() if one.name == NAME]
    assert len(made) == (1 if either.by_app else 0)
    assert shown(either, either.sha) == barred(either)


def test_the_reason_and_every_answer_are_there(
    either: World, context: Context, monkeypatch: pytest.MonkeyPatch
) -> None:
    changed(context, either.number)

    def judged(of: Context, pull: Any) -> Status:
        status = pull_status(of, pull)
        refusal = Refused("unpromoted", "Nothing was applied to `staging` yet.", "`/apply staging`")
        answers = (
            GateAnswer("Promoted", False, f"unpromoted: {refusal.fact}"),
            GateAnswer("NotFrozen", True, ""),
        )
        return replace(
            status, targets=tuple(replace(r, gates=answers, blocked=refusal) for r in status.targets)
        )

    monkeypatch.setattr(gate_check, "pull_status", judged)
    project(context, either.number)
    entry = next(one for one in either.hub.timeline(REPO, either.number) if one.get("name") == NAME)
    if not either.by_app:
        assert entry["description"] == "prod: Nothing was applied to staging yet."
        return
    assert entry["title"] == "prod: Nothing was applied to staging yet."
    for words in ("❌ Promotion", "✅ Freeze", "/apply staging"):
        assert words in entry["summary"]
    assert "unpromoted:" not in entry["summary"]


def test_a_policy_that_guards_from_now_on_reaches_all_open_ones(either: World, context: Context) -> None:
    hub, unguarded = either.hub, POLICY.split("[env.prod]", maxsplit=1)[0]

    def policy(text: str) -> str:
        files = {"envs/environments.toml": text}
        return hub.commit_files(REPO, "main", files, author="carol", message="Policy")

    policy(unguarded)
    changed(context, either.number)
    with context.store.read() as tables:
        assert tables.surfaces.get(f"gate:{REPO}#{either.number}") is None
    pushed(context, Pushed(REPO, "refs/heads/main", policy(POLICY)))
    project(context, either.number)
    assert shown(either, either.sha) == barred(either)
    pushed(context, Pushed(REPO, "refs/heads/main", policy(unguarded)))
    project(context, either.number)
    assert shown(either, either.sha) == ("completed", "neutral" if either.by_app else "success")


def test_a_policy_that_cannot_be_read_bars_all_but_what_mends_it(either: World, context: Context) -> None:
    hub, path = either.hub, "envs/environments.toml"
    hub.commit_files(REPO, "mend", {path: POLICY + "# mended\n"}, author="carol", message="Mend")
    mend = hub.open_pull(REPO, author="carol", head="mend", title="Mend")
    words = hub.commit_files(REPO, "words", {"README.md": "More\n"}, author="ann", message="Words")
    other = hub.open_pull(REPO, author="ann", head="words", title="Words")
    for number in (mend, other):
        changed(context, number)
        project(context, number)
    assert shown(either, words) == ("completed", "success")
    hub.commit_files(REPO, "main", {path: "[nonsense"}, author="carol", message="Break it")
    for number in (mend, other):
        changed(context, number, "edited")
        project(context, number)
    assert shown(either, words) == barred(either)
    head = context.forge.pull(REPO, mend).head_sha
    assert shown(either, head) == ("completed", "neutral" if either.by_app else "success")


def test_re_run_writes_it_anew(either: World, context: Context) -> None:
    changed(context, either.number)
    project(context, either.number)
    event = CheckRerequested(REPO, either.sha, NAME, Actor("bob"), Origin("d-2"))
    check_rerequested(context, event)
    assert due(context, f"gate:{REPO}#{either.number}")


def test_the_merge_queue_has_it_too(either: World, context: Context) -> None:
    changed(context, either.number)
    project(context, either.number)
    plan(context, either.sha, either.number, status="applied")
    group = either.hub.queue_pull(REPO, either.number, actor="bob")
    project_group(context, asked(context, either.number, group))
    assert shown(either, group) == ("completed", "success")
