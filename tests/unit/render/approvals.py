"""Approvals in each state, a forced apply, and guarded environments."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any, Literal

from bot.domain.approvals import LIVE, Approval, ApprovalState, ApprovalStatus, Decision, Missing
from bot.domain.chat import ApprovalRequest, Result, Status, TargetStatus
from bot.domain.policy.freeze_windows import Frozen
from bot.domain.policy.model import Environment
from bot.domain.ports.records import FollowUp
from bot.domain.refusal import Refused
from bot.domain.release import Release
from bot.domain.run import Origin
from tests.unit.render.facts import ANN, HEAD, NASTY, NOW, PULL, REPOSITORY, page, plan, run, target


def approval(status: ApprovalStatus = "open", **changes: Any) -> Approval:
    prod = target("prod")
    made = Approval(
        id="a1b2c3d4e5f6a7b8c9d0",
        target=prod,
        pull=12,
        run_id="run-prod",
        plan_digest="d" * 64,
        commit=HEAD,
        actor=ANN,
        origin=Origin(),
        created_at=NOW,
        expires_at=NOW + timedelta(hours=24),
        count=1,
        owners=({"paths": ["infra/main.tf", "infra/dns.tf"], "any_of": ["@bob", "@acme/web"]},),
        status=status,
        ended_at=None if status in LIVE else NOW + timedelta(minutes=20),
    )
    return replace(made, **changes)


def decision(login: str, answer: Literal["approve", "reject"] = "approve", **changes: Any) -> Decision:
    made = Decision(login, approval().id, login, answer, "", "slack", NOW + timedelta(minutes=5))
    return replace(made, **changes)


def asking(status: ApprovalStatus = "open", **changes: Any) -> ApprovalRequest:
    """One that carol has approved and a code owner has not."""
    about, prod = approval(status), target("prod")
    state = ApprovalState(about, (decision("carol"),), missing=Missing(0, (), about.owners))
    checks = ({"name": "http", "ok": True, "message": "200", "seconds": 1.0},)
    source = Release(
        "r2", target("staging"), "run-9", "e" * 64, HEAD, 12, ANN, 3, NOW - timedelta(hours=2),
        verification="passed", verified_at=NOW - timedelta(hours=1), checks=checks,
    )  # fmt: skip
    return replace(
        ApprovalRequest(state, PULL, plan(prod), source, None, "/apply prod", page=page("prod")), **changes
    )


def asked() -> dict[str, Result]:
    """An approval in each state."""
    complete = ApprovalState(approval(), (decision("carol"), decision("bob", via="github")))
    used = ApprovalState(approval("used", why="the apply has started"), complete.approved)
    rejected = ApprovalState(approval("rejected", why=f"@bob rejected it: {NASTY}"), void=(decision("dave"),))
    applied = run(target("prod"), kind="apply", outcome="applied", finished_at=NOW + timedelta(minutes=22))
    return {
        "asking": asking(),
        "asking_planning": ApprovalRequest(
            ApprovalState(approval("planning", plan_digest=""), missing=Missing(1)), PULL
        ),
        "asking_ready": asking(state=complete),
        "asking_by_itself": asking(state=replace(complete, approval=approval(when_approved=True))),
        "asking_used": asking(state=used, run=applied),
        "asking_rejected": asking(state=rejected),
        "asking_expired": asking("expired"),
        "asking_dead": asking("dead", plan=None),
    }


def follow_up(**changes: Any) -> FollowUp:
    prod = target("prod")
    made = FollowUp("f" * 20, prod, 12, "run-f", ANN, "the site is down", ("promotion", "approvals"), NOW)
    return replace(made, **changes)


def guarded() -> Status:
    """Production waiting for approval, soak, freeze and promotion; then ready, rejected and forced."""
    rows = []
    soak = Refused("soaking", "Soaking on staging.", until=NOW + timedelta(minutes=9))
    unapproved = Refused("unapproved", "No approval has been requested for this plan for prod.")
    waits: dict[str, dict[str, Any]] = {
        "requested": {"blocked": unapproved, "approval_state": asking().state},
        "unasked": {"blocked": unapproved, "next_step": "/apply prod unasked"},
        "soak": {"blocked": soak, "next_freeze": Frozen("the weekend", NOW + timedelta(hours=3))},
        "freeze": {
            "blocked": Refused("frozen", "x", until=NOW + timedelta(days=2)),
            "frozen": Frozen("the weekend", NOW + timedelta(days=2)),
        },
        "promotion": {"blocked": Refused("unpromoted", "Nothing verified on staging yet.")},
        "ready": {
            "approval_state": ApprovalState(approval(), (decision("bob"),)),
            "next_step": "/apply prod ready",
        },
        "rejected": {
            "blocked": unapproved,
            "next_step": "/apply prod rejected",
            "approval_state": ApprovalState(approval("rejected", why="@bob rejected it: not today.")),
        },
        "forced": {"follow_ups": (follow_up(),)},
    }
    for name, facts in waits.items():
        where = target("prod", name)
        environment = Environment("prod", promote_from="staging", production=True)
        rows.append(TargetStatus(where, environment, 12, plan(where), **facts))
    return Status(REPOSITORY, tuple(rows), PULL, (), NOW, plans={"plan-prod": page("prod")})
