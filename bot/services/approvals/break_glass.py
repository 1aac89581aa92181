"""Break-glass: who may force an apply, and who acknowledges it afterwards."""

from __future__ import annotations

from bot.domain.actors import Actor, Role, reaches
from bot.domain.chat import Notice, Result
from bot.domain.policy import Environment
from bot.domain.ports.records import FollowUp
from bot.domain.refusal import Refusal, Refused
from bot.domain.target import command
from bot.services.audit import AuditSubject, record
from bot.services.context import Context, SurfaceKey, show, show_pull, show_pulls


def refuse_force(
    context: Context, environment: Environment, actor: Actor, how: str, instead: str
) -> Refused | None:
    """Refuse everybody whom the policy does not name under `force`. how: the forced command; instead: a sentence on what
    everybody else can do."""
    users = {name.lower() for name in environment.force.users}
    teams = environment.force.teams
    if actor.login.lower() in users:
        return None
    members = {team: context.forge.members(team) for team in teams}
    if any(actor.login.lower() in (found or ()) for found in members.values()):
        return None
    who = " or ".join([*(f"@{name}" for name in sorted(users)), *(f"@{name}" for name in teams)])
    if not who:
        return Refused(
            "force",
            f"Nobody can force changes to `{environment.name}`: its policy has no `force`.",
            instead,
        )
    unseen = ", ".join(f"`{team}`" for team, found in members.items() if found is None)
    doubt = (
        f" {unseen} is not visible on GitHub: renamed, deleted, or the App may not read it." if unseen else ""
    )
    return Refused(
        "force",
        f"Only {who} can force changes to `{environment.name}`; @{actor.login} cannot.{doubt}",
        f"Ask one of them to comment `{how}`. {instead}",
    )


def acknowledge_force(context: Context, one: FollowUp, actor: Actor, role: Role) -> Result:
    """Acknowledge somebody else's forced apply. Raises Refusal for the person who forced it, and without write."""
    if actor.login.lower() == one.actor.login.lower():
        raise Refusal(
            "self-approval",
            f"{one.actor.name} forced this apply to {one.target}; somebody else must acknowledge it.",
            f"Ask a colleague who has the `write` role to comment `{command('acknowledge', one.target)}`.",
        )
    if not reaches(role, "write"):
        raise Refusal(
            "permission",
            f"Acknowledging a forced apply needs the `write` role; you have `{role}`.",
            f"Ask somebody who has it to comment `{command('acknowledge', one.target)}`.",
        )
    with context.store.begin() as tables:
        if not tables.follow_ups.acknowledge(one.id, actor.login, context.now()):
            there = tables.follow_ups.get(one.id)
            by = f" by @{there.acknowledged_by}" if there else ""
            return Notice(f"The forced apply to {one.target} was already acknowledged{by}.")
        record(
            context,
            tables,
            "force.acknowledged",
            actor,
            AuditSubject(target=one.target, pull=one.pull, run_id=one.run_id),
            follow_up=one.id,
            reason=one.reason,
        )
        show(tables, context.now(), SurfaceKey("follow_up", one.id, one.target.repository, one.pull))
        show_pulls(tables, context.now(), one.target.repository)
        show_pull(tables, context.now(), one.target.repository, one.pull)
    return Notice(f"{actor.name} acknowledged {one.actor.name}'s forced apply to {one.target}.", tone="good")
