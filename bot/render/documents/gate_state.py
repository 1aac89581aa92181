"""The state of a guarded environment's check."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

from bot.domain.chat import TargetStatus

GateState = Literal["done", "applying", "failed", "blocked"]
"""done: nothing is left to do. failed: applied, and its smoke checks failed. blocked: something has to be done first."""

PRECEDENCE: tuple[GateState, ...] = ("applying", "failed", "blocked", "done")
"""The first of these counts if an environment has several stacks."""


def gate_state(row: TargetStatus, head: str) -> GateState:
    """Return a target's state for the commit `head` of its pull request."""
    if any(
        run is not None and run.active and run.kind == "apply" and run.pull == row.pull
        for run in (row.active_run, row.run)
    ):
        return "applying"
    plan = row.plan
    if plan is None or plan.commit != head or row.reverted:
        return "blocked"
    if plan.status == "applied":
        states: dict[str, GateState] = {"failed": "failed", "running": "applying"}
        release = row.own_release
        return states.get(release.verification, "done") if release else "done"
    pending = (row.run is not None and row.run.active) or (
        row.approval_state is not None and row.approval_state.approval.live
    )
    unchanged = plan.status == "fresh" and not plan.has_changes and not row.stale
    return "done" if unchanged and not pending else "blocked"


def worst_state(rows: Sequence[TargetStatus], head: str) -> GateState:
    """Return the state of an environment with these targets."""
    states = [gate_state(row, head) for row in rows]
    return min(states, key=PRECEDENCE.index) if states else "done"
