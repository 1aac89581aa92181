"""Approvals in each of their ways, a break-glass, and guarded environments."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any, Literal

from bot.domain.answers import Refused
from bot.domain.approval import LIVE, Approval, ApprovalStatus, Decision, Missing, Standing
from bot.domain.freeze import Frozen
from bot.domain.policy import Environment
from bot.domain.ports.records import FollowUp
from bot.domain.release import Release
from bot.domain.results import Asking, Result, Status, TargetStatus
from bot.domain.run import Origin
from tests.unit.render.facts import ANN, HEAD, NASTY, NOW, PULL, REPOSITORY, plan, run, target


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


def asking(status: ApprovalStatus = "open", **changes: Any) -> Asking:
    """One that carol has approved, and a code owner has not."""
    about, prod = approval(status), target("prod")
    standing = Standing(about, (decision("carol"),), missing=Missing(0, (), about.owners))
    checks = ({"name": "http", "ok": True, "message": "200", "seconds": 1.0},)
    stage = Release(
        "r2", target("staging"), "run-9", "e" * 64, HEAD, 12, ANN, 3, NOW - timedelta(hours=2),
        verification="passed", verified_at=NOW - timedelta(hours=1), checks=checks,
    )  # fmt: skip
    return replace(Asking(standing, PULL, plan(prod), stage, None, "/apply prod"), **changes)


def asked() -> dict[str, Result]:
    """An approval in each of its ways."""
    complete = Standing(approval(), (decision("carol"), decision("bob", via="github")))
    used = Standing(approval("used", why="Applied as it was approved."), complete.approved)
    rejected = Standing(approval("rejected", why=f"@bob rejected it: {NASTY}"), void=(decision("dave"),))
    applied = run(target("prod"), kind="apply", outcome="applied", finished_at=NOW + timedelta(minutes=22))
    return {
        "asking": asking(),
        "asking_planning": Asking(Standing(approval("planning", plan_digest=""), missing=Missing(1)), PULL),
        "asking_ready": asking(standing=complete),
        "asking_by_itself": asking(standing=replace(complete, approval=approval(when_approved=True))),
        "asking_used": asking(standing=used, run=applied),
        "asking_rejected": asking(standing=rejected),
        "asking_expired": asking("expired"),
        "asking_dead": asking("dead", plan=None),
    }


def follow_up(**changes: Any) -> FollowUp:
    prod = target("prod")
    made = FollowUp("f" * 20, prod, 12, "run-f", ANN, "the site is down", ("promotion", "approvals"), NOW)
    return replace(made, **changes)


def guarded() -> Status:
    """Production in each state that it waits in: for consent, soak, freeze, promotion; then ready and forced."""
    rows = []
    soak = Refused("soaking", "It has to stand on `staging` for 15 min.", until=NOW + timedelta(minutes=9))
    waits: dict[str, dict[str, Any]] = {
        "consent": {"blocked": Refused("unapproved", "x"), "consent": asking().standing},
        "unasked": {"blocked": Refused("unapproved", "Nobody has been asked."), "next_step": "/apply prod"},
        "soak": {"blocked": soak, "coming": Frozen("the weekend", NOW + timedelta(hours=3))},
        "freeze": {
            "blocked": Refused("frozen", "x", until=NOW + timedelta(days=2)),
            "frozen": Frozen("the weekend", NOW + timedelta(days=2)),
        },
        "promotion": {"blocked": Refused("unpromoted", "`prod` takes what `staging` has verified.")},
        "ready": {"consent": Standing(approval(), (decision("bob"),)), "next_step": "/apply prod"},
        "rejected": {"consent": Standing(approval("rejected", why="@bob rejected it: not today."))},
        "forced": {"follow_ups": (follow_up(),)},
    }
    for name, facts in waits.items():
        where = target("prod", name)
        rows.append(TargetStatus(where, Environment("prod", production=True), 12, plan(where), **facts))
    return Status(REPOSITORY, tuple(rows), PULL, (), NOW)
