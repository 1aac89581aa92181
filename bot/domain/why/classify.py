"""Find the cause of a failure: from how it ended, then from Terraform's errors, then from the end of its log."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from bot.domain.run import Phase, Run
from bot.domain.sanitize import outside
from bot.domain.states import LockInfo
from bot.domain.target import command
from bot.domain.why.causes import Remedies, cause
from bot.domain.why.model import Cause, CauseKind, Diagnostic, Reason, WorkflowJob
from bot.domain.why.patterns import detail_of, lock_fields, recognise
from bot.domain.why.terraform_errors import parse_error, split_errors

OUTDATED = frozenset(
    [
        "base-moved",
        "engine-changed",
        "head-moved",
        "no-plan",
        "policy-changed",
        "spent",
        "state-moved",
        "too-old",
    ]
)
"""Codes of refusals that a new plan answers."""
_CODES: dict[str, CauseKind] = {
    **dict.fromkeys(OUTDATED, "plan-outdated"),
    "missing-var-file": "missing-var-file",
    "provider-not-allowed": "provider-not-allowed",
    "state-locked": "state-locked",
}
_STEPS: dict[Phase, str] = {
    "queued": "waiting in the queue",
    "preparing": "preparing the checkout",
    "initialising": "terraform init",
    "planning": "terraform plan",
    "applying": "terraform apply",
    "recording": "recording the state",
    "verifying": "smoke checks",
}
_RAN: dict[Phase, str] = {"preparing": "terraform init", "recording": "terraform apply"}
"""What Terraform was doing where the phase is another one: an apply initialises while it prepares, and what it leaves is
recorded before its run ends."""
_CONCLUSIONS: dict[str, CauseKind] = {"timed_out": "timed-out", "startup_failure": "workflow-invalid"}
"""GitHub's conclusions of jobs that say why."""


@dataclass(frozen=True)
class Evidence:
    """What is known of a run that failed.

    phase: None for one that ended before phases were recorded. log: its last lines. lock: what holds the state's lock now.
    prefix: of the environment's secrets, "" if the policy cannot be read. forked: the code is from a fork.
    """

    run: Run
    phase: Phase | None = None
    reason: Reason = field(default_factory=Reason)
    log: Sequence[str] = ()
    lock: LockInfo | None = None
    prefix: str = ""
    forked: bool = False

    @property
    def diagnostics(self) -> tuple[Diagnostic, ...]:
        """Terraform's errors; of a run that ended before they were recorded, what its message says."""
        if self.reason.diagnostics or self.run.outcome not in ("failed", "timed_out"):
            return self.reason.diagnostics
        return tuple(parse_error(text) for text in split_errors(self.run.message))


def step_of(evidence: Evidence) -> str:
    """Return what was being done when the run ended; "" if that is not known."""
    if evidence.run.outcome == "applied":
        return _STEPS["verifying"]
    if evidence.phase is None or evidence.run.outcome == "refused":
        return ""
    ran = evidence.reason.exit_code is not None
    return (_RAN if ran else _STEPS).get(evidence.phase) or _STEPS.get(evidence.phase, "")


def cause_of_run(evidence: Evidence) -> Cause:
    """Return the cause of a run's failure."""
    run, remedies = evidence.run, _remedies(evidence)
    kind = _kind(evidence)
    if kind in ("refused", "smoke-failed"):
        return Cause(kind, run.message, run.next_step)
    if kind == "internal":
        return Cause(
            kind, "Towpath itself failed; the reference below identifies the entry in its log.", run.next_step
        )
    if kind == "plan-outdated" and run.outcome == "refused" and run.message:
        return Cause(kind, run.message, run.next_step or f"Run {remedies.again}.")
    if kind == "provider-not-allowed" and run.next_step:
        return Cause(kind, run.message, run.next_step)
    if kind == "credentials" and evidence.forked:
        return Cause(
            kind,
            "The pull request is from a fork, whose runs get no credentials, and the provider or the backend needs some.",
            "Push the branch to this repository and open the pull request from there.",
        )
    texts = [one.text for one in evidence.diagnostics] or ["\n".join(evidence.log)]
    detail = next((found for text in texts if (found := detail_of(kind, text))), "")
    return cause(kind, remedies, detail=detail, by=_by(kind, evidence, texts))


def cause_of_refusal(code: str, fact: str, next_step: str) -> Cause:
    """Return the cause of an apply that a gate refused before there was a run."""
    return Cause(_CODES.get(code, "refused"), fact, next_step)


def cause_of_job(job: WorkflowJob, log: Sequence[str], repository: str) -> Cause:
    """Return the cause of a failed GitHub Actions job. Its log is somebody else's text."""
    text = "\n".join(log)
    errors = [parse_error(one) for one in split_errors(text)]
    kind = _recognised(errors) or recognise(_end(log)) or "unknown"
    kind = _CONCLUSIONS.get(job.conclusion, kind)
    if kind == "sandbox":
        kind = "unknown"  # it is not Towpath's sandbox
    if kind == "unknown" and any(one.file for one in errors):
        kind = "configuration"
    held = lock_fields(text)
    remedies = Remedies(
        again=f"`gh run rerun {job.run_id} --failed --repo {repository}`",
        unlock=f"`terraform force-unlock {outside(held['ID'], 80)}`"
        if "ID" in held
        else "`terraform force-unlock`",
        credentials="the credentials of the workflow",
        variables="the workflow (`TF_VAR_…`) or a var file",
        limit="`timeout-minutes` of the job",
    )
    by = {"configuration": _place(errors), "state-locked": _holder(held)}.get(kind, "")
    return cause(kind, remedies, detail=detail_of(kind, text), by=by)


def _kind(evidence: Evidence) -> CauseKind:
    run, code = evidence.run, evidence.reason.code
    by_outcome: dict[str | None, CauseKind] = {
        "applied": "smoke-failed",
        "interrupted": "interrupted",
        "timed_out": "timed-out",
        "cancelled": "cancelled",
    }
    if found := by_outcome.get(run.outcome):
        return found
    if found := _CODES.get(code):
        return found
    if run.outcome == "refused":
        return "refused"
    if run.reference:
        return "internal"
    diagnostics = evidence.diagnostics
    if found := _recognised(diagnostics):
        return found
    if not diagnostics and (found := recognise(_end(evidence.log))):
        return found
    return "configuration" if any(one.file for one in diagnostics) else "unknown"


def _recognised(diagnostics: Sequence[Diagnostic]) -> CauseKind | None:
    """The cause that the first of them names: what follows is often its consequence."""
    return next((kind for one in diagnostics if (kind := recognise(one.text))), None)


def _end(log: Sequence[str]) -> str:
    return "\n".join(log[-25:])


def _place(diagnostics: Sequence[Diagnostic]) -> str:
    first = next((one for one in diagnostics if one.file), None)
    return f" at `{outside(first.file)}` line {first.line}" if first else ""


def _remedies(evidence: Evidence) -> Remedies:
    run, prefix = evidence.run, evidence.prefix
    where = run.target.environment
    kept = f"the secrets `{prefix}…`" if prefix else f"the secrets of `{where}`"
    return Remedies(
        again=f"`{_again(run)}`",
        unlock=f"`{command('unlock', run.target)}`",
        credentials=f"{kept} or the `identity` of `{where}`",
        variables=f"`envs/{where}.tfvars`, or as the secret `{prefix}TF_VAR_…`,"
        if prefix
        else f"`envs/{where}.tfvars`",
        limit=f"`timeout` of `{where}` in `envs/environments.toml`",
    )


def _again(run: Run) -> str:
    """The command that tries again: after an apply that did not succeed, a plan of what is left."""
    if run.reverts:
        return f"/revert {run.target.environment} {run.reverts[:8]} {run.target.stack}"
    return command("drift" if run.kind == "drift" else "plan", run.target)


def _by(kind: CauseKind, evidence: Evidence, texts: Sequence[str]) -> str:
    if kind == "state-locked":
        held = next((found for text in texts if (found := lock_fields(text))), {})
        if evidence.lock is not None and held.get("ID", evidence.lock.id) == evidence.lock.id:
            return f" by {outside(evidence.lock.description)}"
        return _holder(held)
    if kind == "cancelled" and evidence.run.cancel_by:
        return f" by @{evidence.run.cancel_by}"
    if kind == "configuration":
        return _place(evidence.diagnostics)
    return ""


def _holder(held: dict[str, str]) -> str:
    """Who holds the lock that Terraform's error describes: the error prints what whoever took it wrote."""
    if "ID" not in held:
        return ""
    lock = LockInfo(
        held["ID"], held.get("Operation", ""), who=held.get("Who", ""), created=held.get("Created", "")
    )
    return f" by {outside(lock.description)}"
