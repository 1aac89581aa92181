"""`/cancel`: cancel queued runs and interrupt running ones once."""

from __future__ import annotations

from bot.domain.actors import Actor, Role, reaches
from bot.domain.chat import Notice, Result
from bot.domain.ports.forge import PullRequest
from bot.domain.refusal import Refusal
from bot.services.audit import AuditSubject, record
from bot.services.context import Context, show_run
from bot.services.runs.lifecycle import finish_in
from bot.services.runs.run_end import RunEnd


def cancel_runs(context: Context, pull: PullRequest, actor: Actor, role: Role) -> Result:
    """Cancel the pull request's runs: your own with the write role, others' with maintain. Raises Refusal if there are only
    others'."""
    cancelled, interrupted, others = [], [], []
    with context.store.begin() as tables:
        active = tables.runs.active(repository=pull.repository, pull=pull.number)
        tables.locks.lock_targets(*(run.target for run in active))
        for run in reversed(active):  # those that come after others first, which would refuse them
            own = not run.actor.login or actor.login in (run.actor.login, pull.author)
            if not own and not reaches(role, "maintain"):
                others.append(run)
                continue
            record(
                context,
                tables,
                "run.cancelled",
                actor,
                AuditSubject(target=run.target, pull=run.pull, run_id=run.id),
            )
            if run.phase == "queued":
                finish_in(
                    context,
                    tables,
                    run,
                    RunEnd("cancelled", message=f"Cancelled by {actor.name} before it started."),
                )
                cancelled.append(run)
            else:
                tables.runs.update(run.id, cancel_by=actor.login)
                show_run(tables, context.now(), run)
                interrupted.append(run)
    if not cancelled and not interrupted:
        if others:
            raise Refusal(
                "permission",
                f"The active runs of #{pull.number} were started by {others[0].actor.name}. Cancelling them needs the "
                f"`maintain` role; you have `{role}`.",
                f"Ask {others[0].actor.name} or a maintainer.",
            )
        return Notice(f"#{pull.number} has no active runs.")
    sentences = [f"Cancelled the queued {run.word} of {run.target}." for run in reversed(cancelled)]
    sentences += [
        f"Stopping the {run.word} of {run.target}: Terraform finishes the operations in progress and saves the state."
        for run in reversed(interrupted)
    ]
    return Notice(" ".join(sentences), "The status comment will show the result.")
