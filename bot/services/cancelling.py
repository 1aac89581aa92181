"""`/cancel`: what is queued is taken back, what runs is interrupted once."""

from __future__ import annotations

from bot.domain.answers import Refused
from bot.domain.people import Actor, reaches
from bot.domain.ports.forge import PullRequest, Role
from bot.domain.results import Noted, Result
from bot.services.auditing import record
from bot.services.context import Context, show_run
from bot.services.ending import finish_in


def cancel(context: Context, pull: PullRequest, actor: Actor, role: Role) -> Result:
    """Stop the pull request's runs: one's own with write, others' with maintain."""
    withdrawn, asked, others = [], [], []
    with context.store.begin() as tables:
        for run in tables.runs.active(repository=pull.repository, pull=pull.number):
            own = not run.actor.login or actor.login in (run.actor.login, pull.author)
            if not own and not reaches(role, "maintain"):
                others.append(run)
            elif run.phase == "queued":
                finish_in(
                    context, tables, run, "cancelled", message=f"Cancelled by {actor.name} before it began."
                )
                withdrawn.append(run)
            else:
                tables.runs.update(run.id, cancel_by=actor.login)
                record(
                    context, tables, "run.cancelled", actor, target=run.target, pull=run.pull, run_id=run.id
                )
                show_run(tables, context.now(), run)
                asked.append(run)
    context.work.wake()
    context.poke()
    if not withdrawn and not asked:
        if others:
            return Refused(
                "permission",
                f"{len(others)} run(s) here were started by {others[0].actor.name}; to cancel "
                f"what others started you need the `maintain` role, you have `{role}`.",
                f"Ask {others[0].actor.name}, or a maintainer.",
            )
        return Noted(f"Nothing runs for #{pull.number}.")
    parts = [f"{run.word} of {run.target} taken back" for run in withdrawn]
    parts += [
        f"{run.word} of {run.target} interrupted once: Terraform ends what it has begun and keeps the state"
        for run in asked
    ]
    said = "; ".join(parts)
    return Noted(f"{said[0].upper()}{said[1:]}.", "The result comes to the status comment.")
