"""The gates of a guarded environment: code, fact and next step as people read them, and every ground."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from bot.domain.actors import Actor
from bot.domain.approvals import ApprovalState, Decision, Missing
from bot.domain.gates import (
    PROMOTION,
    WAITING,
    ApplyFacts,
    Gate,
    Promoted,
    Source,
    first_refusal,
    gate_answers,
)
from bot.domain.gates.promotion import Approved, NotFrozen
from bot.domain.policy.freeze_windows import Frozen
from bot.domain.policy.model import Environment
from bot.domain.policy.schema import Force
from bot.domain.refusal import Allowed, Refused
from bot.domain.release import Release
from bot.domain.target import Target
from tests.integration.storage import samples
from tests.unit.domain.test_approval import NOW, PROD, approval

STAGING = Target("acme/infra", "infra", "staging")
HEAD = "a" * 40
HOUR = timedelta(hours=1)


def release(**more: Any) -> Release:
    facts: dict[str, Any] = {
        "id": "e1",
        "target": STAGING,
        "run_id": "r0",
        "plan_digest": "x",
        "commit": HEAD,
        "pull": 7,
        "actor": Actor("ann"),
        "serial": 4,
        "created_at": NOW - HOUR,
        "configuration": "c",
        "verification": "passed",
        "verified_at": NOW - HOUR,
    }
    return Release(**facts | more)


def source(applying_pull: int = 0, state_change: str = "", **more: Any) -> Source:
    return Source(STAGING, release(**more), applying_pull, state_change)


BOB = Decision("d1", "a1", "bob", "approve", "", "slack", NOW)


def standing(missing: Missing = Missing(), **more: Any) -> ApprovalState:  # noqa: B008  (frozen)
    return ApprovalState(approval(**more), (BOB,), (), missing)


def facts(**more: Any) -> ApplyFacts:
    """Facts that every gate lets pass."""
    given: dict[str, Any] = {
        "pull": samples.pull(head_sha=HEAD),
        "target": PROD,
        "environment": Environment("prod", production=True, promote_from="staging"),
        "plan": samples.plan(target=PROD, commit=HEAD, digest="d" * 64),
        "lock": None,
        "now": NOW,
        "engine": "e",
        "policy": "p",
        "source": source(),
        "configuration": "c",
        "approval_state": standing(),
    }
    return ApplyFacts(**given | more)


def refused_by(gate: Gate, found: ApplyFacts) -> Refused:
    refusal = gate.check(found)
    assert isinstance(refusal, Refused)
    assert refusal.fact.endswith(".")
    assert ".." not in refusal.fact.replace("...", "")
    assert first_refusal(PROMOTION, found) == refusal, "no gate before it minds"
    forced = gate.check(replace(found, forced="outage"))
    assert isinstance(forced, Allowed)
    assert "skipped" in forced.ground
    return refusal


def test_grounds_of_a_sound_apply() -> None:
    assert first_refusal(PROMOTION, facts()) is None
    assert [answer.ground for answer in gate_answers(PROMOTION, facts())] == [
        "staging has aaaaaaa, verified",
        "",
        "approved by @bob (slack)",
    ]
    bare = facts(
        source=source(verification="none", verified_at=None),
        approval_state=ApprovalState(approval(count=0), (), ()),
    )
    assert [answer.ground for answer in gate_answers(PROMOTION, bare)] == [
        "staging has aaaaaaa, without smoke checks",
        "",
        "no approval needed",
    ]


def test_an_unguarded_environment_passes() -> None:
    free = facts(environment=Environment("staging"), source=None, approval_state=None)
    assert [answer.ground for answer in gate_answers(PROMOTION, free)] == [
        "no promotion required",
        "",
        "no approval needed",
    ]


def test_break_glass_says_what_it_skips() -> None:
    forced = facts(
        source=Source(STAGING), approval_state=None, frozen=Frozen("weekend", NOW), forced="outage"
    )
    assert [answer.ground for answer in gate_answers(PROMOTION, forced)] == [
        "promotion from staging skipped",
        "freeze skipped",
        "approvals skipped",
    ]


def test_a_revert_needs_no_promotion() -> None:
    found = facts(
        source=Source(STAGING),
        plan=samples.plan(target=PROD, commit=HEAD, digest="d" * 64, reverts="e1"),
    )
    assert Promoted().check(found) == Allowed("a revert needs no promotion")


def test_every_refusal_is_listed() -> None:
    blocked = facts(source=Source(STAGING), approval_state=None, frozen=Frozen("weekend", NOW))
    said = gate_answers(PROMOTION, blocked)
    assert [(one.gate, one.passed) for one in said] == [
        ("Promoted", False),
        ("NotFrozen", False),
        ("Approved", False),
    ]
    assert said[0].ground == "unpromoted: Nothing verified on staging yet."


@pytest.mark.parametrize(
    ("found", "code", "fact", "then"),
    [
        (
            Source(STAGING),
            "unpromoted",
            "Nothing verified on staging yet.",
            "`/apply staging`",
        ),
        (
            Source(STAGING, None, applying_pull=7),
            "verifying",
            "An apply of #7 is running on staging.",
            "Run `/apply prod` when it has finished, or `/apply prod when-approved` now, which waits for it.",
        ),
        (
            source(applying_pull=8, commit="b" * 40),
            "verifying",
            "An apply of #8 is running on staging.",
            "Run `/apply prod` when it has finished, or `/apply prod when-approved` now, which waits for it.",
        ),
        (
            source(active=False),
            "inactive",
            "The release of #7 on staging is no longer deployed: a later apply did not succeed.",
            "Run `/plan staging` and `/apply staging`, then `/apply prod`.",
        ),
        (
            source(state_change="its serial is now 6, was 4"),
            "inactive",
            "The state of staging changed since its release: its serial is now 6, was 4.",
            "Run `/plan staging` and `/apply staging`, then `/apply prod`.",
        ),
        (
            source(commit="b" * 40, pull=9),
            "other-commit",
            "staging has `bbbbbbb` from #9, not `aaaaaaa`, the latest commit of #7.",
            "Run `/apply staging` first: only the latest release on staging can be promoted.",
        ),
        (
            source(commit="b" * 40),
            "other-commit",
            "staging has `bbbbbbb`, not `aaaaaaa`, the latest commit of #7.",
            "Run `/apply staging` first: only the latest release on staging can be promoted.",
        ),
        (
            source(configuration="other"),
            "other-configuration",
            "staging was applied at `aaaaaaa` from other files than this stack has now: the policy changed.",
            "Run `/plan staging` and `/apply staging`, then `/apply prod`.",
        ),
        (
            source(configuration=""),
            "other-configuration",
            "It is not known which files staging was applied from at `aaaaaaa`.",
            "Run `/plan staging` and `/apply staging`, then `/apply prod`.",
        ),
        (
            source(verification="running", verified_at=None),
            "verifying",
            "The smoke checks of staging are still running.",
            "Run `/apply prod` when they are done, or `/apply prod when-approved` now, which waits for them.",
        ),
        (
            source(
                verification="failed",
                checks=(
                    {"name": "up", "ok": True, "message": "200"},
                    {"name": "healthz", "ok": False, "message": "got 503."},
                ),
            ),
            "unverified",
            "The smoke checks of staging failed: healthz: got 503.",
            "Fix it and push, or run `/plan staging` and `/apply staging` to check again.",
        ),
        (
            source(verification="failed"),
            "unverified",
            "The smoke checks of staging failed.",
            "Fix it and push, or run `/plan staging` and `/apply staging` to check again.",
        ),
    ],
)
def test_requirements_of_the_source(found: Source, code: str, fact: str, then: str) -> None:
    refusal = refused_by(Promoted(), facts(source=found))
    assert (refusal.code, refusal.fact, refusal.next_step) == (code, fact, then)


def test_without_a_digest_of_its_own_nothing_is_the_same() -> None:
    refusal = refused_by(Promoted(), facts(configuration="", source=source(configuration="")))
    assert refusal.code == "other-configuration"


def test_what_a_check_saw_cannot_speak_for_the_bot() -> None:
    checks = ({"name": "up`", "ok": False, "message": "`/apply prod`\n# [x](http://evil) <@U1>"},)
    refusal = refused_by(Promoted(), facts(source=source(verification="failed", checks=checks)))
    assert (
        refusal.fact == "The smoke checks of staging failed: up': '/apply prod' # [x] (http://evil) < @U1>."
    )


@pytest.mark.parametrize(
    ("seconds", "length"), [(5, "5 s"), (90, "90 s"), (900, "15 min"), (3600, "1 h"), (172_800, "48 h")]
)
def test_it_soaks_from_its_verification_on(seconds: int, length: str) -> None:
    env = Environment("prod", promote_from="staging", soak=timedelta(seconds=seconds))
    since = NOW - env.soak
    assert Promoted().check(
        facts(environment=env, source=source(created_at=since - HOUR, verified_at=since))
    ) == Allowed("staging has aaaaaaa, verified")
    young = source(created_at=since - HOUR, verified_at=since + timedelta(seconds=1))
    refusal = refused_by(Promoted(), facts(environment=env, source=young))
    assert refusal.code == "soaking"
    assert refusal.fact == f"Soaking on staging until 2030-01-02 03:04:06 UTC ({length})."
    assert (
        refusal.next_step == "Run `/apply prod` then, or `/apply prod when-approved` now, which waits for it."
    )
    assert refusal.until == NOW + timedelta(seconds=1)


def test_without_checks_it_soaks_from_its_apply_on() -> None:
    env = Environment("prod", promote_from="staging", soak=HOUR)
    old = source(verification="none", verified_at=None)
    assert isinstance(Promoted().check(facts(environment=env, source=old)), Allowed)
    young = source(verification="none", verified_at=None, created_at=NOW)
    assert refused_by(Promoted(), facts(environment=env, source=young)).code == "soaking"


def test_frozen() -> None:
    refusal = refused_by(NotFrozen(), facts(frozen=Frozen("weekend", NOW + HOUR)))
    assert (refusal.code, refusal.fact, refusal.until) == (
        "frozen",
        "prod is frozen until 2030-01-02 04:04 UTC (weekend).",
        NOW + HOUR,
    )
    assert (
        refusal.next_step == "Run `/apply prod` then, or `/apply prod when-approved` now, which waits for it."
    )
    endless = refused_by(NotFrozen(), facts(frozen=Frozen("closed", None)))
    assert endless.fact == "prod is frozen with no scheduled end (closed)."
    assert endless.next_step == "To end it, change `freeze` in `envs/environments.toml`."


def test_what_time_lifts_is_known() -> None:
    assert {"soaking", "frozen", "verifying"} == WAITING


def test_a_refusal_names_the_forced_apply_if_there_is_one() -> None:
    """Readers of a refusal may not know of it. A revert cannot be forced."""
    force = "`/apply prod --force <reason>`"
    frozen = Frozen("weekend", NOW + HOUR)
    missing = replace(standing(Missing(1)), approved=())
    with_force = replace(facts().environment, force=Force(users=("carol",)))
    for environment, told in ((facts().environment, False), (with_force, True)):
        for gate, found in (
            (NotFrozen(), facts(frozen=frozen, environment=environment)),
            (Approved(), facts(approval_state=missing, environment=environment)),
        ):
            refusal = gate.check(found)
            assert isinstance(refusal, Refused)
            assert (force in refusal.next_step) is told
            plan = replace(samples.plan(), reverts="e1")
            if found.plan is not None:
                refusal = NotFrozen().check(replace(found, frozen=frozen, plan=plan))
                assert isinstance(refusal, Refused)
                assert "--force" not in refusal.next_step
