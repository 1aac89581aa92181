"""Who may force, as people read it."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from bot.domain.actors import Actor
from bot.domain.policy.model import Environment
from bot.domain.policy.schema import Force
from bot.services.approvals.break_glass import refuse_force
from bot.services.context import Context

HOW, INSTEAD = "/apply prod --force <reason>", "Run `/apply prod` to request the missing approvals."
NONE = "can force changes to `prod`; @ann cannot."
UNSEEN = "`acme/renamed` is not visible on GitHub: renamed, deleted, or the App may not read it."


class Teams:
    """GitHub, as far as members go: one team is there."""

    def members(self, team: str) -> frozenset[str] | None:
        return frozenset({"bob"}) if team == "acme/oncall" else None


@pytest.mark.parametrize(
    ("force", "who", "fact"),
    [
        (Force(), "ann", "Nobody can force changes to `prod`: its policy has no `force`."),
        (Force(users=("Carol",)), "carol", ""),
        (Force(teams=("acme/oncall",)), "bob", ""),
        (
            Force(users=("carol",), teams=("acme/oncall",)),
            "ann",
            f"Only @carol or @acme/oncall {NONE}",
        ),
        (
            Force(teams=("acme/renamed",)),
            "ann",
            f"Only @acme/renamed {NONE} {UNSEEN}",
        ),
    ],
)
def test_who_may_force(context: Context, force: Force, who: str, fact: str) -> None:
    forge: Any = Teams()
    refusal = refuse_force(
        replace(context, forge=forge), Environment("prod", force=force), Actor(who), HOW, INSTEAD
    )
    assert (refusal.fact if refusal else "") == fact
    if refusal and force:
        assert refusal.next_step == f"Ask one of them to comment `{HOW}`. {INSTEAD}"
    elif refusal:
        assert refusal.next_step == INSTEAD
