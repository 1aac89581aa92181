"""Record what a drift check found: a report if it is new, and the baseline if it was the first check of this state."""

from __future__ import annotations

from dataclasses import dataclass

from bot.domain.chat import Drifted
from bot.domain.drift import Baseline, Drift, Measure
from bot.domain.release import Release
from bot.domain.run import Run
from bot.domain.target import command
from bot.services.context import Context, SurfaceKey, show, show_open, stable_id
from bot.services.runs import RunEnd, finish_in, reply_to_requester

SHOWN = 5
"""Earlier results that a reply lists."""


@dataclass(frozen=True)
class Checked:
    """The result of a check, and the baseline to record if this was the first refresh of the state."""

    measured: Measure
    baseline: Baseline | None


def record_check(context: Context, run: Run, release: Release, checked: Checked) -> None:
    """Record the baseline and a new result, show it, and reply to the requester."""
    measured = checked.measured
    drift = Drift(
        stable_id(run.id, "found"),
        run.target,
        run.id,
        release.commit,
        release.id,
        context.now(),
        measured.digest,
        measured.outside,
        measured.pending,
        measured.summary,
    )
    with context.store.begin() as tables:
        tables.locks.lock_targets(run.target)
        current = tables.releases.newest(run.target)
        if current is None or not current.active or current.id != release.id:
            finish_in(
                context,
                tables,
                run,
                RunEnd(
                    "superseded",
                    message=f"An apply to {run.target} started during the check, so the result is out of date.",
                    next_step=f"Run `{command('drift', run.target)}` when it has finished.",
                ),
            )
        elif finish_in(context, tables, run, RunEnd("checked")):
            if checked.baseline is not None:
                tables.baselines.record(checked.baseline)
            previous = tables.drifts.newest(run.target)
            if not drift.repeats(previous):
                tables.drifts.add(drift.after(previous))
                if run.origin.channel != context.channel:  # otherwise the reply is the report
                    show(
                        tables,
                        context.now(),
                        SurfaceKey("drift", drift.id, run.target.repository, release.pull),
                    )
            history = tuple(tables.drifts.of_target(run.target, SHOWN))
            reply_to_requester(context, tables, run, Drifted(drift, history, context.link(run.id)))
            show_open(tables, context.now(), run.target.repository)
