"""Compare the recorded states with a bucket's state before a run.

After a restore from a backup, the database may be older than the bucket, or the bucket older than the database. The
built-in backend's states are the record itself, so they cannot differ.
"""

from __future__ import annotations

from bot.domain.ports.terraform import Backend
from bot.domain.states import StateInfo, StateVersion
from bot.domain.target import Target, command
from bot.errors import UserError
from bot.services.context import Context


def reconcile_state(context: Context, target: Target, backend: Backend) -> str:
    """Compare the backend's current state with the newest recorded version, before a plan or an apply starts.

    Records a newer state, with an unknown author, and returns a note about it ("" if nothing differs). Raises UserError
    for a lower serial, another lineage, other content with the same serial, or a missing state whose record has
    resources: then an operator must decide.
    """
    if backend.kind == "http":
        return ""
    with context.store.read() as tables:
        if any(run.phase in ("applying", "recording") for run in tables.runs.changing(target)):
            return ""  # it is writing the state, and records it at the end
    data = context.backends.current(target, backend)
    with context.store.read() as tables:
        recorded = tables.states.newest(target.key)
    if not data:
        if recorded is not None and recorded.resources:
            raise _mismatch(target, recorded, "the backend has none")
        return ""
    info = StateInfo.parse(data)
    if recorded is not None:
        if info.sha256 == recorded.sha256:
            return ""
        if info.lineage != recorded.lineage:
            raise _mismatch(target, recorded, f"the backend has lineage {info.lineage}")
        if info.serial < recorded.serial:
            raise _mismatch(target, recorded, f"the backend has serial {info.serial}")
        if info.serial == recorded.serial:
            raise _mismatch(target, recorded, "the backend has the same serial with other content")
    with context.store.begin() as tables:
        tables.states.append(target.key, data, info, observed=True)
    if recorded is None:
        return f"The backend already has a state (serial {info.serial})." if info.resources else ""
    return (
        f"Someone else wrote the state: the backend has serial {info.serial}, and the newest on record was "
        f"{recorded.serial}. It is recorded now. Run `{command('diff', target)}` to see what changed."
    )


def _mismatch(target: Target, recorded: StateVersion, what: str) -> UserError:
    return UserError(
        f"The state of {target} does not match the record: the newest recorded state has serial {recorded.serial} and "
        f"lineage {recorded.lineage}, but {what}.",
        next_step=f"Ask your Towpath operator to check it with `towpath state verify {target.key}`, and then to accept the "
        f"backend's state with `towpath state accept {target.key}` or restore the recorded one.",
    )
