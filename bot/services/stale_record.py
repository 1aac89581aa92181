"""The record of states beside what a bucket has: told before a run, not after it.

A database that was restored from a backup knows less than the bucket; a bucket that was restored, less than the record.
The built-in backend's states are the record itself, so nothing of it can differ.
"""

from __future__ import annotations

from bot.domain.ports.terraform import Backend
from bot.domain.state import StateInfo, StateVersion
from bot.domain.target import Target
from bot.errors import UserError
from bot.services.context import Context


def reconcile(context: Context, target: Target, backend: Backend) -> str:
    """Compare the backend's current state with the newest recorded version; call it before a plan and an apply begin.

    A newer one in the backend is recorded, by nobody known, and what people should hear of it is returned ("" where all
    is as recorded). Raises UserError for a lower serial, another lineage, another content under one serial, or no state
    where the record has resources: somebody must look first.
    """
    if backend.kind == "http":
        return ""
    with context.store.read() as tables:
        if any(
            run.phase in ("applying", "recording") for run in tables.runs.active(target=target, kind="apply")
        ):
            return ""  # it writes, and records what it wrote when it is done
    data = context.backends.current(target, backend)
    with context.store.read() as tables:
        recorded = tables.states.newest(target.key)
    if not data:
        if recorded is not None and recorded.resources:
            raise _behind(target, recorded, "the backend has no state at all")
        return ""
    info = StateInfo.parse(data)
    if recorded is not None:
        if info.sha256 == recorded.sha256:
            return ""
        if info.lineage != recorded.lineage:
            raise _behind(target, recorded, f"the backend's has the lineage {info.lineage}")
        if info.serial < recorded.serial:
            raise _behind(target, recorded, f"the backend's has serial {info.serial}")
        if info.serial == recorded.serial:
            raise _behind(target, recorded, "the backend's has the same serial and another content")
    with context.store.begin() as tables:
        tables.states.append(target.key, data, info, observed=True)
    if recorded is None:
        return f"The state was there already, with serial {info.serial}." if info.resources else ""
    return (
        f"The state was written by somebody else: the backend has serial {info.serial}, and the newest on record "
        f"was {recorded.serial}. It is recorded now; `/diff {target.environment}` shows what changed."
    )


def _behind(target: Target, recorded: StateVersion, what: str) -> UserError:
    return UserError(
        f"The state of {target} is not what was recorded last: that has serial {recorded.serial} and lineage "
        f"{recorded.lineage}, and {what}.",
        next_step=f"Whoever runs Towpath looks with `towpath state verify {target.key}`, and then takes the backend's "
        f"as it is with `towpath state accept {target.key}`, or puts the recorded one back.",
    )
