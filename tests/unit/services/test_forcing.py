"""Who may force, as people read it."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from bot.domain.people import Actor
from bot.domain.policy import Environment
from bot.services.context import Context
from bot.services.forcing import may_force

HOW, INSTEAD = "/apply prod --force <reason>", "`/apply prod` asks for the consent that is missing."
NONE = "and @ann is none of them."
UNSEEN = "GitHub does not show me `acme/renamed`: renamed, deleted, or not for the App to read."


class Teams:
    """GitHub, as far as members go: one team is there."""

    def members(self, team: str) -> frozenset[str] | None:
        return frozenset({"bob"}) if team == "acme/oncall" else None


@pytest.mark.parametrize(
    ("force", "who", "fact"),
    [
        ({}, "ann", "Nobody may force `prod`: its policy has no `force`."),
        ({"users": ("Carol",)}, "carol", ""),
        ({"teams": ("acme/oncall",)}, "bob", ""),
        (
            {"users": ("carol",), "teams": ("acme/oncall",)},
            "ann",
            f"`prod` may be forced by @carol, @acme/oncall, {NONE}",
        ),
        (
            {"teams": ("acme/renamed",)},
            "ann",
            f"`prod` may be forced by @acme/renamed, {NONE} {UNSEEN}",
        ),
    ],
)
def test_who_may_force(context: Context, force: dict[str, Any], who: str, fact: str) -> None:
    forge: Any = Teams()
    no = may_force(replace(context, forge=forge), Environment("prod", force=force), Actor(who), HOW, INSTEAD)
    assert (no.fact if no else "") == fact
    if no and force:
        assert no.next_step == f"Ask one of them to comment `{HOW}`. {INSTEAD}"
    elif no:
        assert no.next_step == INSTEAD
