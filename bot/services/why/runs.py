"""Explain one run that failed."""

from __future__ import annotations

from bot.domain.ports.forge import ForgeError, PullRequest
from bot.domain.run import Run
from bot.domain.target import Target
from bot.domain.why import Evidence, FailedRun, Reason, cause_of_run, last_lines, step_of
from bot.errors import TransientError, UserError
from bot.services.context import Context
from bot.services.targets import GLANCE, readable_policy

LINES = 25
"""Last lines of the log that are shown; the live log has all."""


def explain_run(context: Context, run: Run, pull: PullRequest | None = None) -> FailedRun | None:
    """Explain a run; None if it did not fail or has not ended. pull: the pull request, if it is known."""
    with context.store.read() as tables:
        failure = tables.failures.get(run.id)
        release = tables.releases.of_run(run.id) if run.outcome == "applied" else None
        later = tables.failures.later_success(run)
        log = tables.runs.log(run.id)[1]
        lock = tables.states.locked(run.target.key)
        repository = tables.pulls.repository(run.target.repository)
        own = pull is not None and pull.number == run.pull
        known = pull if own else tables.pulls.get(run.target.repository, run.pull)
    verified = release is None or release.verification != "failed"
    if (
        run.active
        or run.outcome in ("planned", "checked", "destroyed", "done", "superseded")
        or (run.outcome == "applied" and verified)
    ):
        return None
    evidence = Evidence(
        run,
        failure.phase if failure else None,
        failure.reason if failure else Reason(),
        log=last_lines(log, LINES),
        lock=lock,
        prefix=_prefix(context, run.target),
        forked=known is not None and known.from_fork,
    )
    return FailedRun(
        run,
        cause_of_run(evidence),
        step_of(evidence),
        evidence.diagnostics,
        tuple(evidence.log),
        link=context.link(run.id),
        repository_url=repository.url if repository else "",
        later=later,
    )


def _prefix(context: Context, target: Target) -> str:
    """Return the prefix of the environment's secrets, "" if the policy cannot be read now."""
    try:
        policy = readable_policy(context, target.repository, GLANCE)
    except (ForgeError, TransientError, UserError):
        return ""
    named = policy is not None and target.environment in policy.environments
    return policy.secrets_prefix(target.environment) if policy is not None and named else ""
