"""Failures that the tests of `/why` show."""

from __future__ import annotations

from bot.domain.chat import Result
from bot.domain.why import Cause, Diagnostic, FailedJob, FailedRun, RefusedApply, Why, WorkflowJob
from tests.unit.render import facts

CAUSE = Cause(
    "quota",
    "A quota or limit of the provider is used up, or it has no capacity left.",
    "Ask the provider for a higher quota or delete what is unused, then run `/plan prod`.",
)


def failed_run(text: str = "", **more: object) -> FailedRun:
    """A failed apply of prod. text: somebody else's, everywhere."""
    run = facts.run(facts.target("prod"), kind="apply", outcome="failed", message="no")
    shown = {
        "run": run,
        "cause": CAUSE,
        "step": "terraform apply",
        "diagnostics": (
            Diagnostic(
                text or "Cannot create server",
                text or "QuotaExceeded: your account may have 3 servers",
                text or "infra/main.tf",
                30,
                30,
                text or 'module.server["web"].playground_server.this',
                tracked=True,
            ),
            Diagnostic(text or "Another", "", "infra/.terraform/modules/x/main.tf", 2, 2),
        ),
        "log": (text or "Creating...", text or "Error: no"),
        "link": "https://towpath.example.com/runs/r1",
        "repository_url": "https://github.com/acme/infra",
    }
    return FailedRun(**shown | more)  # type: ignore[arg-type]


def failed_job(text: str = "") -> FailedJob:
    job = WorkflowJob(
        11,
        22,
        text or "CI",
        text or "validate",
        "failure",
        text or "https://github.com/acme/infra/actions/runs/22/job/11",
        (text or "terraform init",),
    )
    return FailedJob(job, CAUSE, (text or "Error: No valid credential sources found",), text)


def why(text: str = "") -> Why:
    return Why(failed_run(text), None, (failed_job(text),), facts.HEAD, 2, text)


def results() -> dict[str, Result]:
    run = facts.run(facts.target("prod"), kind="apply", outcome="applied")
    return {
        "why": why(),
        "why_nasty": why(facts.NASTY),
        "why_over": Why(failed_run(later=run), jobs=(failed_job(),), commit=facts.HEAD),
        "why_refused": Why(
            refused=RefusedApply("prod", facts.NOW, Cause("refused", "A freeze is on.", "Wait until Monday."))
        ),
    }
