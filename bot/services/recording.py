"""What an apply leaves: its state as a version, its release, its end."""

from __future__ import annotations

from bot.domain.ports.store import Tables
from bot.domain.ports.terraform import Backend, Ended
from bot.domain.run import Outcome, Plan, Release, Run, left_behind
from bot.domain.state import StateInfo
from bot.services.context import Context, stable_id
from bot.services.ending import finish_in, reason, stopped


def settle(context: Context, run: Run, plan: Plan, backend: Backend, ended: Ended, left: list[str]) -> None:
    """Record the state, whatever came of the apply, and end the run."""
    with context.store.begin() as tables:
        tables.runs.move(run.id, ("applying",), "recording")
    data = record(context, run, backend)
    outcome, message, next_step = _told(context, run, ended, left_behind(left))
    with context.store.begin() as tables:
        done = outcome == "applied"
        tables.plans.take(plan.id, "applying", "applied" if done else "failed")
        tables.states.abandon(run.id)  # Terraform lets go of it by itself, unless it had to be killed
        if done:
            _release(context, tables, run, plan, data)
        finish_in(context, tables, run, outcome, message=message, next_step=next_step)
    context.work.wake()
    context.poke()


def record(context: Context, run: Run, backend: Backend) -> bytes | None:
    """Keep the state as a version. The built-in backend did so at each write; of others the current one is read."""
    data = context.backends.current(run.target, backend)
    if data and backend.kind != "http":
        with context.store.begin() as tables:
            tables.states.append(
                run.target.key,
                data,
                StateInfo.parse(data),
                run_id=run.id,
                commit=run.commit,
                actor=run.actor.login,
                observed=True,
            )
    return data


def _told(context: Context, run: Run, ended: Ended, left: str) -> tuple[Outcome, str, str]:
    replan = f"`/plan {run.target.environment}` shows what is left to do."
    if ended.ok:
        return "applied", "", ""
    if outcome := stopped(context, run, ended):
        what = "It took longer than its time limit." if outcome == "timed_out" else "It was stopped."
        return outcome, f"{what} Terraform finished what it had begun and kept the state.{left}", replan
    return "failed", f"{reason(ended)[:3500]}{left}", replan


def _release(context: Context, tables: Tables, run: Run, plan: Plan, data: bytes | None) -> None:
    serial = StateInfo.parse(data).serial if data else 0
    tables.releases.add(
        Release(
            id=stable_id(run.id, "release"),
            target=run.target,
            run_id=run.id,
            plan_digest=plan.digest,
            commit=run.commit,
            pull=run.pull,
            actor=run.actor,
            serial=serial,
            created_at=context.now(),
        )
    )
