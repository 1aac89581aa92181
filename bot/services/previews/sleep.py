"""Put an instance to sleep, and wake it, with the commands of the policy. Terraform has no part in it.

Like a destroy, and unlike an apply, a command may be repeated after a crash: what is switched off stays switched off.
"""

from __future__ import annotations

from collections.abc import Iterable

from bot.domain.actors import SYSTEM
from bot.domain.gates import refuse_locked
from bot.domain.policy import Policy
from bot.domain.ports.smoke import SmokeResult
from bot.domain.ports.store import Tables
from bot.domain.ports.terraform import Progress
from bot.domain.previews import Instance, asleep_from_now, preview_command
from bot.domain.refusal import Refused
from bot.domain.run import ACTIVE, Kind, Outcome, Run
from bot.domain.states import Unfilled
from bot.domain.target import Target
from bot.errors import UserError
from bot.services.audit import record_run
from bot.services.context import Context, show_run, stable_id
from bot.services.directories import journal_of
from bot.services.identity import hidden_values
from bot.services.promotion import frozen_now
from bot.services.releases import prepared_surroundings, read_outputs, sleep_command
from bot.services.runs import ProgressRecorder, RunEnd, finish_in, finish_run
from bot.services.targets import default_policy

VERBS = {"sleep": "fall asleep", "wake": "wake up"}


def switch_instances(context: Context, policy: Policy, targets: Iterable[Target]) -> None:
    """Request the commands that instances need now; plans that are requested afterwards wait for them."""
    with context.store.read() as tables:
        instances = tables.instances.of_targets(targets)
    for instance in instances.values():
        switch_instance(context, instance, policy)


def switch_instance(context: Context, instance: Instance, policy: Policy) -> Refused | None:
    """Request the command that puts an instance to sleep or wakes it, if it needs one. What is requested has an id of what
    it is for: a command that failed is run again when people ask for it. Returns why it is not requested, if so."""
    kind = switch_of(instance, policy)
    if kind is None or (kind == "sleep" and not instance.exists):
        return None
    target = instance.target
    if frozen := frozen_now(context, policy, target):
        return Refused("frozen", f"{target} is frozen {frozen.span} ({frozen.reason}).")
    run = Run(
        id=stable_id(target.key, kind, instance.wanted_at.isoformat()),
        kind=kind,
        target=target,
        pull=instance.pull,
        commit=instance.commit,
        actor=SYSTEM,
        created_at=context.now(),
    )
    with context.store.begin() as tables:
        tables.locks.lock_targets(target)
        if tables.runs.get(run.id) is not None:
            return None
        if refusal := _locked(context, tables, run):
            return refusal
        tables.runs.add(run)
        context.work.enqueue(run, tables)
        record_run(context, tables, f"{kind}.asked", run)
        show_run(tables, context.now(), run)
    return None


def switch_of(instance: Instance, policy: Policy) -> Kind | None:
    """Return the command that brings an instance to what it should be; None where Terraform does."""
    environment = policy.environments.get(instance.target.environment)
    if environment is None or not environment.sleep.command or instance.wanted == "gone":
        return None
    if instance.wanted == "asleep":
        return "sleep"
    return "wake" if instance.state == "asleep" else None


def execute_sleep(context: Context, run_id: str) -> None:
    """Carry out a run that puts an instance to sleep or wakes it. After a crash, the command is run again."""
    with context.store.begin() as tables:
        run = tables.runs.get(run_id)
        instance = tables.instances.get(run.target) if run else None
        if run is None or not tables.runs.move(
            run_id, ACTIVE, "preparing", worker=context.worker, started_at=context.now()
        ):
            return
        show_run(tables, context.now(), run)
    policy = default_policy(context, run.target.repository)
    if instance is None or policy is None or switch_of(instance, policy) != run.kind:
        finish_run(
            context, run, RunEnd("superseded", message="The instance should be something else by now.")
        )
        return
    if _start(context, run):
        _end(context, run, _carried_out(context, run, policy))


def _start(context: Context, run: Run) -> bool:
    """Commit that the command may change things from now on. Returns False if it must not run."""
    with context.store.begin() as tables:
        tables.locks.lock_targets(run.target)
        row, instance = tables.runs.get(run.id), tables.instances.get(run.target)
        if row is not None and row.cancel_by:
            finish_in(context, tables, run, RunEnd("cancelled", message=f"Cancelled by @{row.cancel_by}."))
            return False
        if refusal := _locked(context, tables, run):
            finish_in(
                context, tables, run, RunEnd("refused", message=refusal.fact, next_step=refusal.next_step)
            )
            return False
        if run.kind == "sleep" and instance is not None:
            tables.instances.save(asleep_from_now(instance))
        record_run(context, tables, f"{run.kind}.started", run)
        return tables.runs.move(run.id, ("preparing",), "applying")


def _locked(context: Context, tables: Tables, run: Run) -> Refused | None:
    lock = tables.locks.get(run.target)
    barred = lock is not None and lock.bars(run.pull, context.now())
    return refuse_locked(lock, run.target) if lock is not None and barred else None


def _carried_out(context: Context, run: Run, policy: Policy) -> SmokeResult:
    """Run the command once, with what the smoke checks get."""
    environment = policy.environments[run.target.environment]
    with context.store.read() as tables:
        plan = tables.plans.newest(run.target, run.pull)
    if plan is None:
        return SmokeResult(run.kind, False, "no plan says where the state is", 0.0)
    backend = context.backends.restore(plan.backend)
    try:
        hidden = hidden_values(context, policy, run.target)
        with ProgressRecorder(
            context, run, journal_of(context, run), environment.timeout, hidden
        ) as recorder:
            outputs = read_outputs(context, run.target, backend, None, recorder.control)
            try:
                command = sleep_command(run.kind, environment, run.target, run.pull, outputs.values)
            except Unfilled as error:
                return SmokeResult(run.kind, False, outputs.problem or str(error), 0.0)
            with prepared_surroundings(
                context, run, policy, outputs.values, recorder.control, acting=True
            ) as given:
                return context.smoke.check(
                    command,
                    given,
                    cancelled=recorder.control.cancelled,
                    on_try=lambda line: recorder.control.on_progress(Progress(line)),
                )
    except UserError as error:
        return SmokeResult(run.kind, False, str(error), 0.0)


def _end(context: Context, run: Run, result: SmokeResult) -> None:
    """End the run as its command ended."""
    with context.store.begin() as tables:
        row = tables.runs.get(run.id) or run
        end = RunEnd("done")
        if not result.ok and (row.cancel_by or row.superseded_by):
            outcome: Outcome = "cancelled" if row.cancel_by else "superseded"
            end = RunEnd(outcome, message="The command was stopped.", next_step=_again(run))
        elif not result.ok:
            message = f"{run.target} did not {VERBS[run.kind]}: {result.message}."
            end = RunEnd("failed", message=message, next_step=_again(run))
        if finish_in(context, tables, run, end):
            record_run(context, tables, f"{run.kind}.ended", run, outcome=end.outcome)


def _again(run: Run) -> str:
    """Return the next step after a command that did not succeed."""
    return f"Run `{preview_command(run.kind, run.target)}` to try again."
