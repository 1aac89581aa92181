"""Find the cause of a run's failure: from how it ended, then from Terraform's errors, then from the end of its log."""

from __future__ import annotations

from collections.abc import Sequence

from bot.domain.previews import preview_command
from bot.domain.run import SLEEPING, Run
from bot.domain.sanitize import outside
from bot.domain.target import command
from bot.domain.why.causes import Remedies, cause
from bot.domain.why.evidence import Evidence
from bot.domain.why.findings import end_of, first_known, holder_of, place_of
from bot.domain.why.model import Cause, CauseKind
from bot.domain.why.patterns import detail_of, lock_fields, recognise

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


def cause_of_run(evidence: Evidence) -> Cause:
    """Return the cause of a run's failure."""
    run, remedies = evidence.run, _remedies(evidence)
    kind = _kind(evidence)
    if run.outcome in ("refused", "applied"):  # what refused it knows more than the texts of its kind
        return Cause(kind, run.message, run.next_step or f"Run {remedies.again}.")
    if kind == "internal":
        return Cause(
            kind, "Towpath itself failed; the reference below identifies the entry in its log.", run.next_step
        )
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
    if found := first_known(diagnostics):
        return found
    if not diagnostics and (found := recognise(end_of(evidence.log))):
        return found
    return "configuration" if any(one.file for one in diagnostics) else "unknown"


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
    if run.kind in SLEEPING:
        return preview_command(run.kind, run.target)
    return command("drift" if run.kind == "drift" else "plan", run.target)


def _by(kind: CauseKind, evidence: Evidence, texts: Sequence[str]) -> str:
    if kind == "state-locked":
        held = next((found for text in texts if (found := lock_fields(text))), {})
        if evidence.lock is not None and held.get("ID", evidence.lock.id) == evidence.lock.id:
            return f" by {outside(evidence.lock.description)}"
        return holder_of(held)
    if kind == "cancelled" and evidence.run.cancel_by:
        return f" by @{evidence.run.cancel_by}"
    if kind == "configuration":
        return place_of(evidence.diagnostics)
    return ""
