"""After an apply: its artifacts are kept, and its smoke checks say whether what was applied works."""

from __future__ import annotations

import shutil
import time
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any

from bot.domain.outputs import Outputs, hidden_in, outputs_in, outputs_of, url_of
from bot.domain.policy import Environment, Policy
from bot.domain.ports.smoke import Smoke, SmokeResult, Surroundings
from bot.domain.ports.terraform import Backend, Control, Place, Progress, TerraformFailed
from bot.domain.release import Release, Verification
from bot.domain.run import Run
from bot.domain.target import Target
from bot.errors import UserError
from bot.services.context import Context, show_run
from bot.services.keeping import keep_artifacts
from bot.services.preparing import journal_of
from bot.services.smoking import names, smokes
from bot.services.watching import Watch

ENCRYPTED = "OpenTofu has encrypted the state, so its outputs cannot be read after a restart of ours"


@dataclass(frozen=True)
class Verified:
    """release: as it is now. message, next_step: what its run tells people; empty where all is well."""

    release: Release
    message: str = ""
    next_step: str = ""


def initial(environment: Environment) -> Verification:
    """What a new release has: a promotion must not take it for verified before its checks were made."""
    return "running" if environment.smoke else "none"


def verify(
    context: Context,
    run: Run,
    release: Release,
    policy: Policy,
    backend: Backend,
    place: Place | None = None,
) -> Verified:
    """Keep the artifacts, run the checks one after the other, and write down on the release what came of it.

    Entered again after a crash it begins again with the first check, unless they were all done. backend: where the
    state is (`context.backends.restore(plan.backend)`). place: an initialised directory, where there is one: only an
    encrypted state needs it.
    """
    environment = policy.environments[run.target.environment]
    checks = names(environment)
    progress: dict[str, Any] = {name: {"state": "planned", "action": "check"} for name in checks}
    with context.store.begin() as tables:
        release = tables.releases.get(release.id) or release
        if release.verified_at is not None:
            return _told(run.target, release)
        if checks:
            tables.runs.move(run.id, ("applying", "recording", "verifying"), "verifying", progress=progress)
            show_run(tables, context.now(), run)
    context.poke()
    secrets = context.secrets(policy.secrets_prefix(environment.name))
    hidden = (*context.hidden, *secrets.values())
    watched = replace(run, progress=progress)
    with Watch(context, watched, journal_of(context, run), environment.timeout, hidden) as watch:
        outputs, problem = _outputs(context, run.target, backend, place, watch.control)
        gone = keep_artifacts(context, run, release, environment, outputs)
        lost = _lost(gone, problem)
        if lost:
            watch.control.on_progress(Progress(lost))
        results = _results(context, run, environment, outputs, secrets, watch.control, problem)
    changes: dict[str, Any] = {
        "verification": _verdict(results),
        "verified_at": context.now(),
        "checks": tuple(
            {key: value for key, value in asdict(one).items() if key != "tries"} for one in results
        ),
        "url": url_of(environment.url, run.target, run.pull, outputs),
    }
    with context.store.begin() as tables:
        tables.releases.update(release.id, **changes)
        show_run(tables, context.now(), run)
    context.poke()
    return _told(run.target, replace(release, **changes), lost)


def _outputs(
    context: Context, target: Target, backend: Backend, place: Place | None, control: Control
) -> tuple[Outputs, str]:
    """Read from the state itself, which needs no process; why there are none, where they cannot be read."""
    try:
        found = outputs_of(context.backends.current(target, backend))
        if found is None:
            if place is None:
                return {}, ENCRYPTED
            found = outputs_in(context.terraform.outputs(place, control))
        return found, ""
    except (UserError, TerraformFailed, ValueError) as error:
        return {}, f"the outputs cannot be read: {error}"


def _results(
    context: Context,
    run: Run,
    environment: Environment,
    outputs: Outputs,
    secrets: Mapping[str, str],
    control: Control,
    problem: str,
) -> list[SmokeResult]:
    """All checks in their order, within the environment's timeout in all."""
    directory = context.data_dir / "smoke" / run.id
    surroundings = Surroundings(
        directory,
        secrets,
        {name: outputs[name].text.encode() for name in environment.artifacts if name in outputs},
        (*context.hidden, *secrets.values(), *hidden_in(outputs)),
    )
    until = time.monotonic() + environment.timeout.total_seconds()
    results: list[SmokeResult] = []
    try:
        for one in smokes(environment, run.target, run.pull, outputs):
            control.on_progress(Progress(f"Smoke check {one.name}", one.name, "started", "check"))
            result = (
                one if isinstance(one, SmokeResult) else _check(context, one, surroundings, control, until)
            )
            if problem and isinstance(one, SmokeResult):
                result = replace(one, message=problem)
            results.append(result)
            control.on_progress(
                Progress(
                    f"Smoke check {result.name}: {'well' if result.ok else 'failed'}: {result.message}",
                    result.name,
                    "done" if result.ok else "failed",
                    "check",
                    result.seconds,
                )
            )
    finally:
        shutil.rmtree(directory, ignore_errors=True)
    return results


def _check(
    context: Context, smoke: Smoke, surroundings: Surroundings, control: Control, until: float
) -> SmokeResult:
    left = until - time.monotonic()
    if left <= 0:
        return SmokeResult(smoke.name, False, "not tried: the environment's `timeout` was over", 0.0, 0)
    if control.cancelled():
        return SmokeResult(smoke.name, False, "not tried: cancelled", 0.0, 0)
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


def _lost(names: Sequence[str], problem: str) -> str:
    """Which artifacts were not kept, and why."""
    if not names:
        return ""
    which = ", ".join(f"`{name}`" for name in names)
    many = len(names) > 1
    return (
        f"The artifact{'s' if many else ''} {which} {'were' if many else 'was'} not kept: "
        f"{problem or 'there is no such output'}."
    )


def _told(target: Target, release: Release, lost: str = "") -> Verified:
    """What people hear beside "applied"."""
    failed = [one for one in release.checks if not one["ok"]]
    if not failed:
        return Verified(release, lost)
    which = "; ".join(f"{one['name']}: {one['message']}" for one in failed)
    return Verified(
        release,
        f"It was applied, and its smoke checks failed: {which}. {lost}".strip(),
        f"Mend it and push, or {once_more(target, release.reverts)} to check once more.",
    )


def once_more(target: Target, reverts: str) -> str:
    """The commands that apply the same again. reverts: see Release; bare, `/revert` would mean another one."""
    if reverts:
        return f"`/revert {target.environment} {reverts[:8]} {target.stack}`, twice,"
    again = f"{target.environment} {target.stack}"
    return f"`/plan {again}` and `/apply {again}`"
