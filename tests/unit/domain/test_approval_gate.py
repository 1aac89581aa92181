"""The approval gate: all approvals, for exactly this plan."""

from __future__ import annotations

from dataclasses import replace

import pytest

from bot.domain.approvals import ApprovalState, Missing
from bot.domain.gates.promotion import Approved
from bot.domain.target import Target
from tests.unit.domain.test_approval import NOW
from tests.unit.domain.test_promotion import BOB, facts, refused_by, standing

OTHER = Target("acme/infra", "infra", "prod", "pr-7")


@pytest.mark.parametrize(
    ("state", "code", "fact", "then"),
    [
        (
            None,
            "unapproved",
            "No approval has been requested for this plan for prod.",
            "Run `/apply prod` to request approval.",
        ),
        (
            standing(plan_digest="e" * 64),
            "approval-void",
            "The approval for prod is for another plan.",
            "Run `/apply prod` to request approval again.",
        ),
        (
            standing(commit="b" * 40),
            "approval-void",
            "The approval for prod is for another plan.",
            "Run `/apply prod` to request approval again.",
        ),
        (
            standing(target=OTHER),
            "approval-void",
            "The approval for prod is for another plan.",
            "Run `/apply prod` to request approval again.",
        ),
        (
            standing(status="used"),
            "approval-void",
            "The approval for prod was already used.",
            "Run `/apply prod` to request approval again.",
        ),
        (
            standing(status="rejected"),
            "approval-void",
            "The approval for prod was rejected.",
            "Run `/apply prod` to request approval again.",
        ),
        (
            standing(status="expired"),
            "approval-void",
            "The approval for prod has expired.",
            "Run `/apply prod` to request approval again.",
        ),
        (
            standing(status="dead"),
            "approval-void",
            "The approval for prod is no longer valid, since its plan can no longer be applied.",
            "Run `/apply prod` to request approval again.",
        ),
        (
            standing(expires_at=NOW),
            "approval-expired",
            "The approval for prod expired at 2030-01-02 03:04 UTC.",
            "Run `/apply prod` to request approval again.",
        ),
        (
            standing(Missing(1)),
            "unapproved",
            "prod still needs 1 approval (`write` role).",
            "Approve with `/approve prod`, an approving review of this commit, or in Slack.",
        ),
        (
            replace(
                standing(),
                rejected=(replace(BOB, login="carol", answer="reject", reason="not on a `Friday`"),),
            ),
            "rejected",
            "@carol rejected the apply to prod: not on a 'Friday'.",
            "Run `/apply prod` to request approval again.",
        ),
    ],
)
def test_refusals(state: ApprovalState | None, code: str, fact: str, then: str) -> None:
    refusal = refused_by(Approved(), facts(approval_state=state))
    assert (refusal.code, refusal.fact, refusal.next_step) == (code, fact, then)


def test_without_a_plan_nothing_is_approved() -> None:
    assert refused_by(Approved(), facts(plan=None)).code == "unapproved"
