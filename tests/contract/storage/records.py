"""Approvals, artifacts, follow-ups and entries of the record, for tests."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from bot.domain.approvals import Approval, Decision
from bot.domain.audit import Entry
from bot.domain.ports.records import Artifact, FollowUp
from bot.domain.run import Origin
from bot.domain.target import Target
from tests.integration.storage.samples import ANN, MINUTE, NOW, PROD

CONTENT = b"apiVersion: v1\ntoken: hunter2-hunter2\n"


def approval(approval_id: str = "a1", target: Target = PROD, pull: int = 7, **more: Any) -> Approval:
    facts: dict[str, Any] = {
        "run_id": "r1",
        "plan_digest": "d" * 64,
        "commit": "c1",
        "actor": ANN,
        "origin": Origin(delivery="d1", index=1, comment=2**40, channel="C1"),
        "created_at": NOW,
        "expires_at": NOW + timedelta(hours=24),
        "count": 2,
        "teams": ("acme/ops", "acme/größe"),
        "users": ("bob",),
        "owners": ({"paths": ["infra/main.tf"], "any_of": ["@bob", "@acme/ops"]},),
        "excluded": ("ann",),
        "when_approved": True,
        "destroys": 3,
    }
    return Approval(approval_id, target, pull, **facts | more)


def decision(decision_id: str = "review:1", **more: Any) -> Decision:
    facts: dict[str, Any] = {
        "approval_id": "a1",
        "login": "bob",
        "answer": "approve",
        "reason": "",
        "via": "github",
        "at": NOW,
        "role": "write",
        "groups": ("@acme/ops", "@acme/größe"),
    }
    return Decision(decision_id, **facts | more)


def artifact(
    artifact_id: str = "f1", target: Target = PROD, name: str = "kubeconfig", **more: Any
) -> Artifact:
    return Artifact(
        artifact_id,
        target,
        **{
            "release_id": "e1",
            "name": name,
            "digest": "d" * 64,
            "size": len(CONTENT),
            "created_at": NOW,
            **more,
        },
    )


def follow_up(follow_up_id: str = "u1", target: Target = PROD, **more: Any) -> FollowUp:
    facts: dict[str, Any] = {
        "pull": 7,
        "run_id": "r1",
        "actor": ANN,
        "reason": "the site is down",
        "skipped": ("approval", "freeze"),
        "created_at": NOW,
    }
    return FollowUp(follow_up_id, target, **facts | more)


def entry(index: int = 0, **more: Any) -> Entry:
    facts: dict[str, Any] = {
        "action": "apply.started",
        "login": "ann",
        "slack": "T1/U1",
        "via": "slack",
        "repository": "acme/infra",
        "target": PROD.key,
        "pull": 7,
        "run_id": "r1",
        "facts": {"index": index, "gates": [{"gate": "soak", "passed": True}]},
    }
    return Entry(NOW + index * MINUTE, **facts | more)
