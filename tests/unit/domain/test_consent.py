"""The gate that asks for consent: whole, and for exactly this plan."""

from __future__ import annotations

from dataclasses import replace

import pytest

from bot.domain.approval import Missing, Standing
from bot.domain.promotion import Approved
from bot.domain.target import Target
from tests.unit.domain.test_approval import NOW
from tests.unit.domain.test_promotion import BOB, facts, refusal, standing

OTHER = Target("acme/infra", "infra", "prod", "pr-7")


@pytest.mark.parametrize(
    ("consent", "code", "fact", "then"),
    [
        (
            None,
            "unapproved",
            "Nobody has been asked to approve this plan for prod.",
            "`/apply prod`",
        ),
        (
            standing(plan_digest="e" * 64),
            "approval-void",
            "The approval for prod is of another plan.",
            "`/apply prod` asks for a new one.",
        ),
        (
            standing(commit="b" * 40),
            "approval-void",
            "The approval for prod is of another plan.",
            "`/apply prod` asks for a new one.",
        ),
        (
            standing(target=OTHER),
            "approval-void",
            "The approval for prod is of another plan.",
            "`/apply prod` asks for a new one.",
        ),
        (
            standing(status="used"),
            "approval-void",
            "The approval for prod was used already.",
            "`/apply prod` asks for a new one.",
        ),
        (
            standing(status="rejected"),
            "approval-void",
            "The approval for prod was rejected.",
            "`/apply prod` asks for a new one.",
        ),
        (
            standing(status="expired"),
            "approval-void",
            "The approval for prod has expired.",
            "`/apply prod` asks for a new one.",
        ),
        (
            standing(status="dead"),
            "approval-void",
            "The approval for prod no longer holds, since its plan does not.",
            "`/apply prod` asks for a new one.",
        ),
        (
            standing(expires_at=NOW),
            "approval-expired",
            "The approval for prod expired at 2030-01-02 03:04 UTC.",
            "`/apply prod` asks for a new one.",
        ),
        (
            standing(Missing(1)),
            "unapproved",
            "prod still needs 1 approval by anybody with the `write` role.",
            "They approve with `/approve prod`, by a review of this commit, or in Slack.",
        ),
        (
            replace(
                standing(),
                rejected=(replace(BOB, login="carol", answer="reject", reason="not on a `Friday`"),),
            ),
            "rejected",
            "@carol rejected the apply to prod: not on a 'Friday'.",
            "`/apply prod` asks once more.",
        ),
    ],
)
def test_the_consent_must_be_whole_and_of_this_plan(
    consent: Standing | None, code: str, fact: str, then: str
) -> None:
    no = refusal(Approved(), facts(consent=consent))
    assert (no.code, no.fact, no.next_step) == (code, fact, then)


def test_without_a_plan_nothing_is_approved() -> None:
    assert refusal(Approved(), facts(plan=None)).code == "unapproved"
