"""What an apply leaves: its state as a version, its release, its end."""

from __future__ import annotations

from bot.domain.gates import command
from bot.domain.policy import PATH, Policy
from bot.domain.ports.terraform import Backend, Ended, Place
from bot.domain.release import Release, Verification
from bot.domain.run import Outcome, Plan, Run, left_behind
from bot.domain.state import LockInfo, StateInfo
from bot.domain.words import outside
from bot.errors import TransientError, UserError
from bot.services import uploading
from bot.services.auditing import record_run
from bot.services.context import Context, show_pull, stable_id
from bot.services.ending import finish_in, reason, replan, stopped
from bot.services.holding import pin
from bot.services.proving import proof, range_link
from bot.services.targets import readable_policy
from bot.services.verifying import Verified, initial, verify


def settle(
    context: Context,
    run: Run,
    plan: Plan,
    backend: Backend,
    ended: Ended,
    left: list[str],
    place: Place | None = None,
) -> None:
    """Record the state, whatever came of the apply; where it went well leave a release, verify it, and end the run."""
    with context.store.begin() as tables:
        tables.runs.move(run.id, ("applying",), "recording")
    unsaved = None if ended.ok else uploading.keep(context, run)
    data = _record_unless_lost(context, run, backend, lost=unsaved is not None)
    outcome, message, next_step = _told(context, run, backend, ended, left_behind(left))
    if unsaved is not None:
        message = f"The state could not be uploaded; it is kept. {message}"
        next_step = f"`{command('push-state', run.target)}` pushes it."
    done = outcome == "applied"
    policy = policy_of(context, run) if done else None
    with context.store.begin() as tables:
        tables.plans.take(plan.id, "applying", "applied" if done else "failed")
        tables.states.abandon(run.id)  # Terraform lets go of it by itself, unless it had to be killed
        if done:
            checked = initial(policy.environments[run.target.environment]) if policy else "failed"
            release = _release(context, run, plan, data, checked)
            tables.releases.add(release)
            tables.states.released(run.target.key, run.id, release.id, run.reverts)
            tables.runs.move(run.id, ("recording",), "verifying")
            if run.reverts:
                pin(context, tables, run, plan)
        else:
            finish_in(context, tables, run, outcome, message=message, next_step=next_step)
            record_run(context, tables, "apply.ended", run, outcome=outcome)
    context.work.wake()
    context.poke()
    if done:
        conclude(context, run, release, backend, policy, place)


def policy_of(context: Context, run: Run) -> Policy | None:
    """The policy in force, where it can be read and still has the run's environment: what was applied is applied,
    whatever the default branch says meanwhile."""
    policy = readable_policy(context, run.target.repository)
    return policy if policy is not None and run.target.environment in policy.environments else None


def conclude(
    context: Context,
    run: Run,
    release: Release,
    backend: Backend,
    policy: Policy | None,
    place: Place | None = None,
) -> None:
    """Verify what was applied, and end its run. Entered again after a crash it verifies again."""
    verified = verify(context, run, release, policy, backend, place) if policy else _unruled(run, release)
    message, next_step = verified.message, verified.next_step
    if run.reverts:
        message = " ".join(filter(None, (message, proof(context, run))))
        if not next_step and (link := range_link(context, run)):
            next_step = f"Take it back in git too: [the commits]({link})."
    with context.store.begin() as tables:
        if not finish_in(context, tables, run, "applied", message=message, next_step=next_step):
            return
        record_run(
            context,
            tables,
            "apply.ended",
            run,
            outcome="applied",
            release=release.id,
            serial=release.serial,
            verification=verified.release.verification,
        )
        for pull in tables.pulls.open(run.target.repository):  # others may wait for what stands here now
            if pull.number != run.pull and tables.surfaces.get(f"gate:{pull.repository}#{pull.number}"):
                show_pull(tables, context.now(), pull.repository, pull.number)
    context.work.wake()
    context.poke()


def _unruled(run: Run, release: Release) -> Verified:
    where = run.target.environment
    return Verified(
        release,
        f"It was applied, but `{PATH}` on the default branch does not say any more how `{where}` is verified.",
        f"Mend it, then `{command('plan', run.target)}` and `{command('apply', run.target)}` to check once more.",
    )


def _record_unless_lost(context: Context, run: Run, backend: Backend, *, lost: bool) -> bytes | None:
    """`record`; a backend that could not be written to need not be there to be read."""
    try:
        return record(context, run, backend)
    except (UserError, TransientError):
        if not lost:
            raise
        return None


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


def _told(context: Context, run: Run, backend: Backend, ended: Ended, left: str) -> tuple[Outcome, str, str]:
    if ended.ok:
        return "applied", "", ""
    if outcome := stopped(context, run, ended):
        what = "It took longer than its time limit." if outcome == "timed_out" else "It was stopped."
        return outcome, f"{what} Terraform finished what it had begun and kept the state.{left}", replan(run)
    if "Error acquiring the state lock" in ended.log and (held := _holder(context, run, backend)):
        what = f"The state of {run.target} is locked by {outside(held.told)}; nothing was changed."
        return "failed", what, f"Wait for its end, or `{command('unlock', run.target)}`; then {replan(run)}"
    return "failed", f"{reason(ended)[:3500]}{left}", replan(run)


def _holder(context: Context, run: Run, backend: Backend) -> LockInfo | None:
    """Terraform itself does not say who holds a lock on every backend."""
    try:
        return context.backends.place(run.target, backend).held()
    except (UserError, TransientError):
        return None


def _release(
    context: Context, run: Run, plan: Plan, data: bytes | None, verification: Verification
) -> Release:
    return Release(
        id=release_id(run),
        target=run.target,
        run_id=run.id,
        plan_digest=plan.digest,
        commit=run.commit,
        pull=run.pull,
        actor=run.actor,
        serial=StateInfo.parse(data).serial if data else 0,
        created_at=context.now(),
        configuration=plan.configuration,
        approval=run.approval,
        forced=run.forced,
        reverts=run.reverts,
        verification=verification,
    )


def release_id(run: Run) -> str:
    """The id of the release that an apply leaves."""
    return stable_id(run.id, "release")
