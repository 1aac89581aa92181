"""The gates for reverts: each command applies its own kind of plan, and the requester confirms the losses."""

from __future__ import annotations

from bot.domain.gates.facts import ApplyFacts
from bot.domain.refusal import Allowed, Refused
from bot.domain.target import command

NEEDS_COUNT = "losses"
"""The refusal's code until someone confirms the number of losses; a wrong number is `miscounted`."""
NAMED = 10
"""Lost resources that are named; the rest are counted."""


class PlanMatchesCommand:
    """`/apply` does not apply a revert's plan, whose reviewer requested something else, and `/revert` applies no other."""

    def check(self, facts: ApplyFacts) -> Allowed | Refused:
        plan, target = facts.plan, facts.target
        if plan is None or bool(plan.reverts) == facts.revert:
            return Allowed()
        if facts.revert:
            return Refused(
                "no-revert-plan",
                f"The latest plan for {target} is not a revert.",
                f"Run `{command('revert', target)}` to plan the revert again.",
            )
        apply = f"Run `{command('revert', target)}` to apply it, or" if plan.status == "fresh" else "Run"
        return Refused(
            "revert-plan",
            f"The latest plan for {target} is a revert.",
            f"{apply} `{command('plan', target)}` for the current commit.",
        )


class LossesCounted:
    """The requester has confirmed how many resources lose their data permanently."""

    def check(self, facts: ApplyFacts) -> Allowed | Refused:
        losses = facts.plan.losses if facts.plan else ()
        if not losses or facts.losing == len(losses):
            return Allowed()
        names = ", ".join(f"`{address}`" for address in losses[:NAMED])
        more = f" and {len(losses) - NAMED} more" if len(losses) > NAMED else ""
        resources = "1 resource" if len(losses) == 1 else f"{len(losses)} resources"
        return Refused(
            NEEDS_COUNT if facts.losing is None else "miscounted",
            f"This revert permanently loses the data of {resources}: {names}{more}.",
            f"Run `{command('revert', facts.target)} --losing {len(losses)}` to confirm.",
        )
