"""Each gate before a guarded environment: code, fact and next step as people read them, and every ground."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from bot.domain.answers import Allowed, Refused
from bot.domain.approval import Decision, Missing, Standing
from bot.domain.freeze import Frozen
from bot.domain.gates import ApplyFacts, Gate, Source, ask
from bot.domain.people import Actor
from bot.domain.policy import Environment
from bot.domain.promotion import PROMOTION, WAITING, Approved, NotFrozen, Promoted, answers
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


def source(busy: int = 0, drifted: str = "", **more: Any) -> Source:
    return Source(STAGING, release(**more), busy, drifted)


BOB = Decision("d1", "a1", "bob", "approve", "", "slack", NOW)


def standing(missing: Missing = Missing(), **more: Any) -> Standing:  # noqa: B008  (frozen)
    return Standing(approval(**more), (BOB,), (), missing)


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
        "consent": standing(),
    }
    return ApplyFacts(**given | more)


def refusal(gate: Gate, found: ApplyFacts) -> Refused:
    no = gate.check(found)
    assert isinstance(no, Refused)
    assert no.fact.endswith(".")
    assert ".." not in no.fact.replace("...", "")
    assert ask(PROMOTION, found) == no, "no gate before it minds"
    forced = gate.check(replace(found, forced="outage"))
    assert isinstance(forced, Allowed)
    assert "skipped" in forced.ground
    return no


def test_grounds_of_a_sound_apply() -> None:
    assert ask(PROMOTION, facts()) is None
    assert [answer.ground for answer in answers(PROMOTION, facts())] == [
        "staging has aaaaaaa, verified",
        "",
        "approved by @bob (slack)",
    ]
    bare = facts(
        source=source(verification="none", verified_at=None), consent=Standing(approval(count=0), (), ())
    )
    assert [answer.ground for answer in answers(PROMOTION, bare)] == [
        "staging has aaaaaaa, without smoke checks",
        "",
        "no approval needed",
    ]


def test_an_unguarded_environment_passes() -> None:
    free = facts(environment=Environment("staging"), source=None, consent=None)
    assert [answer.ground for answer in answers(PROMOTION, free)] == [
        "not promoted from anywhere",
        "",
        "no approval needed",
    ]


def test_break_glass_says_what_it_skips() -> None:
    forced = facts(source=Source(STAGING), consent=None, frozen=Frozen("weekend", NOW), forced="outage")
    assert [answer.ground for answer in answers(PROMOTION, forced)] == [
        "promotion from staging skipped",
        "freeze skipped",
        "approvals skipped",
    ]


def test_all_that_is_in_the_way_is_told() -> None:
    blocked = facts(source=Source(STAGING), consent=None, frozen=Frozen("weekend", NOW))
    said = answers(PROMOTION, blocked)
    assert [(one.gate, one.passed) for one in said] == [
        ("Promoted", False),
        ("NotFrozen", False),
        ("Approved", False),
    ]
    assert said[0].ground.startswith("unpromoted: `prod` takes")


@pytest.mark.parametrize(
    ("found", "code", "fact", "then"),
    [
        (
            Source(STAGING),
            "unpromoted",
            "`prod` takes what `staging` has verified, and nothing was applied there yet.",
            "`/apply staging`",
        ),
        (
            Source(STAGING, None, busy=7),
            "verifying",
            "An apply for #7 is at work on `staging` right now.",
            "`/apply prod` after its end, or `/apply prod when-approved` now, which waits for it.",
        ),
        (
            source(busy=8, commit="b" * 40),
            "verifying",
            "An apply for #8 is at work on `staging` right now.",
            "`/apply prod` after its end, or `/apply prod when-approved` now, which waits for it.",
        ),
        (
            source(active=False),
            "inactive",
            (
                "What was applied to `staging` with #7 does not stand there any more: another apply has begun since, and "
                "did not end well."
            ),
            "`/plan staging` and `/apply staging`, then `/apply prod`.",
        ),
        (
            source(drifted="its serial is 6, and was 4"),
            "inactive",
            "The state of `staging` was changed since that release: its serial is 6, and was 4.",
            "`/plan staging` and `/apply staging`, then `/apply prod`.",
        ),
        (
            source(commit="b" * 40, pull=9),
            "other-commit",
            "`staging` has `bbbbbbb` of #9, and #7 is at `aaaaaaa`.",
            "`/apply staging` first: only the newest release of `staging` counts.",
        ),
        (
            source(commit="b" * 40),
            "other-commit",
            "`staging` has `bbbbbbb`, and #7 is at `aaaaaaa`.",
            "`/apply staging` first: only the newest release of `staging` counts.",
        ),
        (
            source(configuration="other"),
            "other-configuration",
            "`staging` was applied at `aaaaaaa`, but from other files than this stack has now (the policy changed).",
            "`/plan staging` and `/apply staging`, then `/apply prod`.",
        ),
        (
            source(configuration=""),
            "other-configuration",
            "From which files `staging` was applied at `aaaaaaa` is not known.",
            "`/plan staging` and `/apply staging`, then `/apply prod`.",
        ),
        (
            source(verification="running", verified_at=None),
            "verifying",
            "The smoke checks of `staging` are still running.",
            "`/apply prod` when they are done, or `/apply prod when-approved` now.",
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
            "The smoke checks of `staging` failed: healthz: got 503.",
            "Mend it and push; or `/plan staging` and `/apply staging` to check once more.",
        ),
        (
            source(verification="failed"),
            "unverified",
            "The smoke checks of `staging` failed.",
            "Mend it and push; or `/plan staging` and `/apply staging` to check once more.",
        ),
    ],
)
def test_what_the_stage_before_must_be(found: Source, code: str, fact: str, then: str) -> None:
    no = refusal(Promoted(), facts(source=found))
    assert (no.code, no.fact, no.next_step) == (code, fact, then)


def test_without_a_digest_of_its_own_nothing_is_the_same() -> None:
    no = refusal(Promoted(), facts(configuration="", source=source(configuration="")))
    assert no.code == "other-configuration"


def test_what_a_check_saw_cannot_speak_for_the_bot() -> None:
    checks = ({"name": "up`", "ok": False, "message": "`/apply prod`\n# [x](http://evil) <@U1>"},)
    no = refusal(Promoted(), facts(source=source(verification="failed", checks=checks)))
    assert no.fact == "The smoke checks of `staging` failed: up': '/apply prod' # [x] (http://evil) < @U1>."


@pytest.mark.parametrize(
    ("seconds", "told"), [(5, "5 s"), (90, "90 s"), (900, "15 min"), (3600, "1 h"), (172_800, "48 h")]
)
def test_it_soaks_from_its_verification_on(seconds: int, told: str) -> None:
    env = Environment("prod", promote_from="staging", soak=timedelta(seconds=seconds))
    since = NOW - env.soak
    assert Promoted().check(
        facts(environment=env, source=source(created_at=since - HOUR, verified_at=since))
    ) == Allowed("staging has aaaaaaa, verified")
    young = source(created_at=since - HOUR, verified_at=since + timedelta(seconds=1))
    no = refusal(Promoted(), facts(environment=env, source=young))
    assert no.code == "soaking"
    assert no.fact == f"It has to stand on `staging` for {told}: until 2030-01-02 03:04:06 UTC."
    assert no.next_step == "`/apply prod` then, or `/apply prod when-approved` now, which waits for it."
    assert no.until == NOW + timedelta(seconds=1)


def test_without_checks_it_soaks_from_its_apply_on() -> None:
    env = Environment("prod", promote_from="staging", soak=HOUR)
    old = source(verification="none", verified_at=None)
    assert isinstance(Promoted().check(facts(environment=env, source=old)), Allowed)
    young = source(verification="none", verified_at=None, created_at=NOW)
    assert refusal(Promoted(), facts(environment=env, source=young)).code == "soaking"


def test_frozen() -> None:
    no = refusal(NotFrozen(), facts(frozen=Frozen("weekend", NOW + HOUR)))
    assert (no.code, no.fact, no.until) == (
        "frozen",
        "prod is frozen until 2030-01-02 04:04 UTC (weekend).",
        NOW + HOUR,
    )
    assert no.next_step == "`/apply prod` then, or `/apply prod when-approved` now, which waits for it."
    endless = refusal(NotFrozen(), facts(frozen=Frozen("closed", None)))
    assert endless.fact == "prod is frozen with no end in sight (closed)."
    assert endless.next_step == "`freeze` in `envs/environments.toml` says when it opens."


def test_what_time_lifts_is_known() -> None:
    assert {"soaking", "frozen", "verifying"} == WAITING


def test_the_way_out_at_night_is_told_where_there_is_one() -> None:
    """Those who read a refusal may not know of it; a revert has none."""
    force = "`/apply prod --force <reason>`"
    frozen = Frozen("weekend", NOW + HOUR)
    missing = replace(standing(Missing(1)), approved=())
    with_force = replace(facts().environment, force={"users": ("carol",)})
    for environment, told in ((facts().environment, False), (with_force, True)):
        for gate, found in (
            (NotFrozen(), facts(frozen=frozen, environment=environment)),
            (Approved(), facts(consent=missing, environment=environment)),
        ):
            no = gate.check(found)
            assert isinstance(no, Refused)
            assert (force in no.next_step) is told
            plan = replace(samples.plan(), reverts="e1")
            if found.plan is not None:
                no = NotFrozen().check(replace(found, frozen=frozen, plan=plan))
                assert isinstance(no, Refused)
                assert "--force" not in no.next_step
