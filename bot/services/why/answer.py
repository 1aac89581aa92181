"""`/why`: find what failed, and explain it."""

from __future__ import annotations

from bot.domain.chat import Notice, Result
from bot.domain.ports.forge import PullRequest
from bot.domain.refusal import Refusal
from bot.domain.run import Run
from bot.domain.sanitize import outside
from bot.domain.target import Target
from bot.domain.why import RefusedApply, Why, cause_of_refusal
from bot.services.context import Context
from bot.services.why.runs import explain_run
from bot.services.why.workflows import FailedJobs, explain_workflows

SHORTEST = 4
"""Characters of a run's id that are looked up: fewer are a slip, or an environment's name."""
_HEX = frozenset("0123456789abcdef")


def explain(context: Context, repository: str, pull: PullRequest | None, named: str) -> Result:
    """Explain the run that is `named` by the beginning of its id or by its environment; without a name the newest one
    that failed, and the failed GitHub Actions jobs of the pull request's latest commit.

    Without a pull request, all runs of the repository count. Raises Refusal for a name that fits no run, or several.
    """
    if named:
        return _explain_named(context, repository, pull, named)
    number = pull.number if pull else None
    with context.store.read() as tables:
        run = tables.failures.newest_run(repository, pull=number)
    refused = _refused_since(context, pull, run) if pull else None
    jobs = explain_workflows(context, pull) if pull else FailedJobs()
    failed = explain_run(context, run, pull) if run and refused is None else None
    if failed is None and refused is None and not jobs.shown:
        where = f"on #{number}" if number else f"in {repository}"
        return Notice(f"Nothing failed {where}. {jobs.note}".strip(), tone="warning" if jobs.note else "good")
    commit = pull.head_sha if pull else ""
    return Why(failed, refused, jobs.shown, commit, jobs.more, jobs.note)


def _explain_named(context: Context, repository: str, pull: PullRequest | None, named: str) -> Result:
    number, lowered = pull.number if pull else None, named.lower()
    is_id = len(lowered) >= SHORTEST and set(lowered) <= _HEX
    with context.store.read() as tables:
        found = tables.failures.runs_starting(repository, lowered, 2) if is_id else []
        on_environment = tables.failures.newest_run(repository, pull=number, environment=named)
    if len(found) > 1:
        raise Refusal("which-run", f"Several runs start with `{lowered}`.", "Give more characters of the id.")
    run = found[0] if found else on_environment
    if run is None:
        raise Refusal(
            "no-run",
            f"`{outside(named, 60)}` is neither the beginning of a run's id nor an environment with a failed run here.",
            "Run `/why` for the newest failed run; ids are in the links to logs.",
        )
    failed = explain_run(context, run, pull)
    if failed is not None:
        return Why(failed)
    ended = "was superseded by a newer one" if run.outcome == "superseded" else "succeeded"
    return Notice(
        f"The {run.word} of {run.target} (`{run.id[:12]}`) {'is still running' if run.active else ended}.",
        tone="plain" if run.active else "good",
    )


def _refused_since(context: Context, pull: PullRequest, run: Run | None) -> RefusedApply | None:
    """Return the pull request's newest apply that was refused before there was a run, if that is newer than `run` and
    nothing was applied to its target since."""
    with context.store.read() as tables:
        entry = tables.audit.newest("apply.refused", pull.repository, pull.number)
        if entry is None or entry.run_id:
            return None
        target = Target.from_key(entry.target)
        applied = tables.runs.newest(target, pull=pull.number, kind="apply")
    since = [one.finished_at for one in (run, applied) if one is not None and one.finished_at is not None]
    if any(at >= entry.at for at in since):
        return None
    facts = {name: str(entry.facts.get(name, "")) for name in ("code", "fact", "next_step")}
    return RefusedApply(str(target), entry.at, cause_of_refusal(**facts))
