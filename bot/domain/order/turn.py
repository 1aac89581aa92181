"""What a queued run does when a run that it comes after has ended."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass

from bot.domain.run import Run

_ENDED = {
    "refused": "was refused",
    "cancelled": "was cancelled",
    "interrupted": "was interrupted",
    "timed_out": "timed out",
}
"""How a run ended, in words that follow "the plan of staging/network"; all others "failed"."""


@dataclass(frozen=True)
class Turn:
    """What a waiting run does next. after: ids of the runs that it still waits for. failed: the one that keeps it from
    running; unverified: by its smoke checks alone. superseded: a push made it needless.

    It may start if none of that is set.
    """

    after: tuple[str, ...] = ()
    failed: Run | None = None
    unverified: bool = False
    superseded: bool = False


def turn_of(waiting: Run, others: Mapping[str, Run], unverified: Collection[str] = ()) -> Turn:
    """Return what `waiting` does, given the runs that it comes after, by id. unverified: ids of applies whose smoke checks
    failed.

    It waits for those that are unfinished; instead of a superseded plan, for the newer one. It needs plans that were made
    and applies that succeeded. A plan also follows an apply that did not, since it plans what that one left, and an apply
    follows one of another pull request that was refused, and so changed nothing.
    """
    left: list[str] = []
    for run_id in waiting.after:
        run = others.get(run_id)
        if run is None or run.active:
            left.append(run_id)
        elif run.outcome == "superseded" and run.superseded_by:
            left.append(run.superseded_by)
        elif run.outcome == "superseded":
            return Turn(superseded=True)
        elif not _lets_pass(run, waiting):
            return Turn(failed=run)
        elif waiting.kind != "plan" and run_id in unverified:
            return Turn(failed=run, unverified=True)
    return Turn(tuple(dict.fromkeys(left)))


def why_not(waiting: Run, failed: Run, *, unverified: bool = False) -> str:
    """Return the sentence about a run that does not start since `failed`, which it comes after, did not succeed, or was not
    verified."""
    what = "planned" if waiting.kind == "plan" else "applied"
    ended = f"the {failed.word} of {failed.target} {_ENDED.get(failed.outcome or '', 'failed')}"
    if unverified:
        ended = f"the smoke checks of {failed.target} failed"
    return f"Not {what}: {ended}, and {waiting.target} comes after it."


def _lets_pass(run: Run, waiting: Run) -> bool:
    if run.kind == "apply":
        unchanged = run.outcome == "refused" and run.pull != waiting.pull
        return waiting.kind == "plan" or run.outcome == "applied" or unchanged
    return run.outcome in ("planned", "applied")
