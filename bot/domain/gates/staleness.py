"""Whether a plan can still be applied."""

from __future__ import annotations

from bot.domain.gates.facts import ApplyFacts
from bot.domain.refusal import Refused
from bot.domain.run import Plan

NAMED = 3
"""Changed paths or inputs that a refusal names."""


def refuse_stale(facts: ApplyFacts, plan: Plan) -> Refused | None:
    """Return why `plan` can no longer be applied, or None while it can."""
    replan = f"`{facts.plan_command}`"
    if facts.base_changes and not facts.reverting:
        base = facts.pull.base_ref
        paths = ", ".join(f"`{path}`" for path in facts.base_changes[:NAMED])
        more = "…" if len(facts.base_changes) > NAMED else ""
        return Refused(
            "base-moved",
            f"`{base}` changed this stack ({paths}{more}). Update the branch.",
            f"Merge `{base}` into it and push: a new plan starts automatically.",
        )
    if plan.policy != facts.policy:
        fact = "The policy (`envs/environments.toml`) changed since this plan was made."
        return Refused("policy-changed", fact, replan)
    if plan.engine != facts.engine:
        fact = f"This plan was made by {plan.engine}, but {facts.engine} is in use now."
        return Refused("engine-changed", fact, replan)
    if plan.age(facts.now) > facts.environment.plan_expires:
        hours = facts.environment.plan_expires.total_seconds() / 3600
        return Refused("too-old", f"This plan is older than {hours:g} h.", replan)
    if facts.state is not None and facts.state != (plan.lineage, plan.serial):
        fact = f"State changed since this plan was made (now serial {facts.state[1]})."
        return Refused("state-moved", fact, replan)
    if facts.outdated_inputs:
        names = ", ".join(f"`{name}`" for name in facts.outdated_inputs[:NAMED])
        more = "…" if len(facts.outdated_inputs) > NAMED else ""
        fact = f"The inputs of this plan changed since it was made: {names}{more}."
        return Refused("inputs-changed", fact, replan)
    return None
