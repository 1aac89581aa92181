"""What comes first is applied first, and a plan with outdated inputs is not applied."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from bot.domain.gates import APPLY, ApplyFacts, Upstream, first_refusal
from bot.domain.gates.upstream import UpstreamApplied
from bot.domain.policy.model import Environment
from bot.domain.refusal import Allowed, Refused
from bot.domain.run import Plan
from bot.domain.target import Target
from tests.integration.storage import samples

NETWORK, APP = Target("acme/infra", "network", "staging"), Target("acme/infra", "app", "staging")
HEAD = "a" * 40


def plan(**more: Any) -> Plan:
    return samples.plan("n", target=NETWORK, **{"commit": HEAD, **more})


def facts(*upstream: Upstream, **more: Any) -> ApplyFacts:
    known: dict[str, Any] = {
        "pull": samples.pull(head_sha=HEAD),
        "target": APP,
        "environment": Environment("staging"),
        "plan": samples.plan("a", target=APP, commit=HEAD),
        "lock": None,
        "now": samples.NOW,
        "engine": "terraform 1.11.4",
        "policy": "po",
        "upstream": upstream,
    }
    return ApplyFacts(**known | more)


@pytest.mark.parametrize(
    ("one", "step"),
    [
        (Upstream(NETWORK), None),
        (Upstream(NETWORK, None, touched=True), "`/apply staging network`"),
        (Upstream(NETWORK, plan(), touched=True), "`/apply staging network`"),
        (Upstream(NETWORK, plan()), "`/apply staging network`"),
        (Upstream(NETWORK, plan(has_changes=False), touched=True), None),
        (Upstream(NETWORK, plan(status="applied"), touched=True), None),
        (Upstream(NETWORK, plan(status="applying"), touched=True), None),
        (Upstream(NETWORK, plan(status="failed"), touched=True), "`/plan staging network`"),
        (Upstream(NETWORK, plan(commit="b" * 40), touched=True), "`/plan staging network`"),
        (Upstream(NETWORK, plan(commit="b" * 40)), None),
        (Upstream(NETWORK, plan(reverts="e1"), touched=True), None),
    ],
)
def test_what_has_to_be_applied_before(one: Upstream, step: str | None) -> None:
    answer = UpstreamApplied().check(facts(one))
    if step is None:
        assert isinstance(answer, Allowed)
        return
    assert isinstance(answer, Refused)
    assert (answer.code, answer.next_step) == ("upstream-first", step)
    assert answer.fact.startswith("staging/network comes before staging/app, and has ")


def test_a_revert_waits_for_nothing() -> None:
    pending = facts(Upstream(NETWORK, plan(), touched=True))
    assert pending.plan is not None
    answer = UpstreamApplied().check(replace(pending, plan=replace(pending.plan, reverts="e1")))
    assert isinstance(answer, Allowed)


def test_an_apply_that_runs_there_is_not_overtaken() -> None:
    running = samples.run("x", kind="apply", target=NETWORK, pull=9)
    answer = UpstreamApplied().check(facts(upstream_applying=running))
    assert isinstance(answer, Refused)
    assert answer.code == "upstream-applying"
    assert answer.fact == "An apply of #9 is running on staging/network, and staging/app comes after it."
    assert answer.next_step == "Run `/apply staging app` when it has finished."


def test_outdated_inputs_make_a_plan_stale() -> None:
    refusal = first_refusal(APPLY, facts(outdated_inputs=("dns.zone", "network.vpc_id")))
    assert refusal == Refused(
        "inputs-changed",
        "The inputs of this plan changed since it was made: `dns.zone`, `network.vpc_id`.",
        "`/plan staging app`",
    )
    assert first_refusal(APPLY, facts()) is None
