"""Break-glass: who may, and what it leaves to do for somebody else."""

from __future__ import annotations

from bot.domain.answers import Refused
from bot.domain.gates import command
from bot.domain.people import Actor, reaches
from bot.domain.policy import Environment
from bot.domain.ports.forge import Role
from bot.domain.ports.records import FollowUp
from bot.domain.results import Noted, Result
from bot.services.auditing import record
from bot.services.context import Context, show, show_pull, show_pulls


def may_force(
    context: Context, environment: Environment, actor: Actor, how: str, instead: str
) -> Refused | None:
    """None for those whom the policy names under `force`; nobody where it names none. how: the command that is forced;
    instead: what everybody else may do, as a sentence."""
    users = {name.lstrip("@").lower() for name in environment.force.get("users", ())}
    teams = [name.lstrip("@") for name in environment.force.get("teams", ())]
    if actor.login.lower() in users:
        return None
    members = {team: context.forge.members(team) for team in teams}
    if any(actor.login.lower() in (found or ()) for found in members.values()):
        return None
    who = ", ".join([*(f"@{name}" for name in sorted(users)), *(f"@{name}" for name in teams)])
    if not who:
        return Refused(
            "force",
            f"Nobody may force `{environment.name}`: its policy has no `force`.",
            instead,
        )
    unseen = ", ".join(f"`{team}`" for team, found in members.items() if found is None)
    doubt = (
        f" GitHub does not show me {unseen}: renamed, deleted, or not for the App to read." if unseen else ""
    )
    return Refused(
        "force",
        f"`{environment.name}` may be forced by {who}, and @{actor.login} is none of them.{doubt}",
        f"Ask one of them to comment `{how}`. {instead}",
    )


def acknowledge(context: Context, one: FollowUp, actor: Actor, role: Role) -> Result:
    """Somebody else has seen a break-glass and stands by it."""
    if actor.login.lower() == one.actor.login.lower():
        return Refused(
            "self-approval",
            f"{one.actor.name} forced this apply to {one.target}; somebody else must acknowledge it.",
            f"Ask a colleague who has the `write` role to comment `{command('acknowledge', one.target)}`.",
        )
    if not reaches(role, "write"):
        return Refused(
            "permission",
            f"To acknowledge a forced apply you need the `write` role; you have `{role}`.",
            f"Ask somebody who has it to comment `{command('acknowledge', one.target)}`.",
        )
    with context.store.begin() as tables:
        if not tables.follow_ups.acknowledge(one.id, actor.login, context.now()):
            there = tables.follow_ups.get(one.id)
            by = f" by @{there.acknowledged_by}" if there else ""
            return Noted(f"The forced apply to {one.target} was acknowledged already{by}.")
        record(
            context,
            tables,
            "force.acknowledged",
            actor,
            target=one.target,
            pull=one.pull,
            run_id=one.run_id,
            follow_up=one.id,
            reason=one.reason,
        )
        show(tables, context.now(), "follow_up", one.id, one.target.repository, one.pull)
        show_pulls(tables, context.now(), one.target.repository)
        show_pull(tables, context.now(), one.target.repository, one.pull)
    context.poke()
    return Noted(
        f"{actor.name} has acknowledged the apply to {one.target} that {one.actor.name} forced.", tone="good"
    )
