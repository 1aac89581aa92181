"""Verify a release: keep its artifacts and run its smoke checks."""

from __future__ import annotations

import time
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import asdict, dataclass, replace
from typing import Any

from bot.domain.policy import Environment, Policy
from bot.domain.ports.smoke import Smoke, SmokeResult, Surroundings
from bot.domain.ports.terraform import Backend, Control, Progress, WorkDir
from bot.domain.release import Release, Verification
from bot.domain.run import Run
from bot.domain.states import url_of
from bot.domain.target import Target
from bot.errors import UserError
from bot.services.context import Context, show_run
from bot.services.directories import journal_of
from bot.services.exports import load_instance_data
from bot.services.identity import hidden_values
from bot.services.releases.artifacts import keep_artifacts
from bot.services.releases.smoke import smoke_checks, smoke_names
from bot.services.releases.surroundings import ReadOutputs, prepared_surroundings, read_outputs
from bot.services.runs import ProgressRecorder


@dataclass(frozen=True)
class Verified:
    """A verified release. message, next_step: shown on its run, empty if everything passed."""

    release: Release
    message: str = ""
    next_step: str = ""


def initial_verification(environment: Environment) -> Verification:
    """Return the verification of a new release: "running" if it has checks, so that it cannot be promoted before them."""
    return "running" if environment.smoke else "none"


def verify_release(
    context: Context,
    run: Run,
    release: Release,
    policy: Policy,
    backend: Backend,
    work_dir: WorkDir | None = None,
) -> Verified:
    """Keep the artifacts, run the checks one after the other, and record the results on the release.

    Repeated after a crash, it starts again with the first check, unless all were done. backend: where the state is
    (`context.backends.restore(plan.backend)`). work_dir: an initialised directory, if there is one; only an encrypted
    state needs it.
    """
    environment = policy.environments[run.target.environment]
    checks = smoke_names(environment)
    progress: dict[str, Any] = {name: {"state": "planned", "action": "check"} for name in checks}
    with context.store.begin() as tables:
        release = tables.releases.get(release.id) or release
        if release.verified_at is not None:
            return _verified(run.target, release)
        if checks:
            tables.runs.move(run.id, ("applying", "recording", "verifying"), "verifying", progress=progress)
            show_run(tables, context.now(), run)
    # with neither, nothing is printed, and a vault that fails now casts no doubt on what was applied
    printed = checks or environment.artifacts
    hidden = hidden_values(context, policy, run.target) if printed else context.hidden
    watched = replace(run, progress=progress)
    with ProgressRecorder(
        context, watched, journal_of(context, run), environment.timeout, hidden
    ) as recorder:
        outputs = read_outputs(context, run.target, backend, work_dir, recorder.control)
        missing = keep_artifacts(context, run, release, environment, outputs.values)
        lost = _missing_artifacts(missing, outputs.problem)
        if lost:
            recorder.control.on_progress(Progress(lost))
        loaded = load_instance_data(context, run, outputs.values, recorder.control)
        results = [*loaded]
        if all(one.ok for one in loaded):
            results += _run_checks(context, run, policy, outputs, recorder.control)
    changes: dict[str, Any] = {
        "verification": _verdict(results),
        "verified_at": context.now(),
        "checks": tuple(
            {key: value for key, value in asdict(one).items() if key != "tries"} for one in results
        ),
        "url": url_of(environment.url, run.target, run.pull, outputs.values),
    }
    with context.store.begin() as tables:
        tables.releases.update(release.id, **changes)
        show_run(tables, context.now(), run)
    return _verified(run.target, replace(release, **changes), lost)


def _run_checks(
    context: Context,
    run: Run,
    policy: Policy,
    outputs: ReadOutputs,
    control: Control,
) -> list[SmokeResult]:
    """Run all checks in their order, within the environment's timeout in total. Commands get what the apply got: the
    secrets, and an identity."""
    environment, values = policy.environments[run.target.environment], outputs.values
    until = time.monotonic() + environment.timeout.total_seconds()
    with ExitStack() as stack:
        try:
            given = stack.enter_context(
                prepared_surroundings(
                    context, run, policy, values, control, acting=_runs_commands(environment)
                )
            )
        except UserError as error:  # the settings changed since the apply
            return [SmokeResult(name, False, error.what, 0.0, 0) for name in smoke_names(environment)]
        results: list[SmokeResult] = []
        for one in smoke_checks(environment, run.target, run.pull, values):
            control.on_progress(Progress(f"Smoke check {one.name}", one.name, "started", "check"))
            result = one if isinstance(one, SmokeResult) else _check(context, one, given, control, until)
            if outputs.problem and isinstance(one, SmokeResult):
                result = replace(one, message=outputs.problem)
            results.append(result)
            control.on_progress(
                Progress(
                    f"Smoke check {result.name}: {'passed' if result.ok else 'failed'}: {result.message}",
                    result.name,
                    "done" if result.ok else "failed",
                    "check",
                    result.seconds,
                )
            )
        return results


def _runs_commands(environment: Environment) -> bool:
    return any(check.kind == "command" for check in environment.smoke)


def _check(
    context: Context, smoke: Smoke, surroundings: Surroundings, control: Control, until: float
) -> SmokeResult:
    left = until - time.monotonic()
    if left <= 0:
        return SmokeResult(smoke.name, False, "not run: the environment's `timeout` was exceeded", 0.0, 0)
    if control.cancelled():
        return SmokeResult(smoke.name, False, "not run: cancelled", 0.0, 0)
    return context.smoke.check(
        replace(smoke, within=min(smoke.within, left), timeout=min(smoke.timeout, left)),
        surroundings,
        cancelled=control.cancelled,
        on_try=lambda line: control.on_progress(Progress(line)),
    )


def _verdict(results: Sequence[SmokeResult]) -> Verification:
    if not results:
        return "none"
    return "passed" if all(result.ok for result in results) else "failed"


def _missing_artifacts(names: Sequence[str], problem: str) -> str:
    """Say which artifacts were not kept, and why; "" if all were."""
    if not names:
        return ""
    which = ", ".join(f"`{name}`" for name in names)
    many = len(names) > 1
    return (
        f"The artifact{'s' if many else ''} {which} {'were' if many else 'was'} not kept: "
        f"{problem or 'there is no such output'}."
    )


def _verified(target: Target, release: Release, lost: str = "") -> Verified:
    """Return the release with the message and next step for failed checks and missing artifacts."""
    failed = [one for one in release.checks if not one["ok"]]
    if not failed:
        return Verified(release, lost)
    which = "; ".join(f"{one['name']}: {one['message']}" for one in failed)
    return Verified(
        release,
        f"Applied, but its smoke checks failed: {which}. {lost}".strip(),
        f"Fix it and push, or run {check_again_command(target, release.reverts)} to verify again.",
    )


def check_again_command(target: Target, reverts: str) -> str:
    """Return the commands that apply the same again. reverts: see Release; `/revert` alone would mean another release."""
    if reverts:
        return f"`/revert {target.environment} {reverts[:8]} {target.stack}` twice"
    again = f"{target.environment} {target.stack}"
    return f"`/plan {again}` and `/apply {again}`"
