"""Expire states that could not be uploaded and that nobody pushed: after a year, with a warning before."""

from __future__ import annotations

from datetime import datetime, timedelta

from bot.domain.actors import SYSTEM
from bot.domain.chat import Notice
from bot.domain.ports.store import Tables
from bot.domain.run import Origin
from bot.domain.states import Unsaved
from bot.domain.target import command
from bot.services.audit import AuditSubject, record
from bot.services.context import Context, show_open

KEPT = timedelta(days=365)
"""How long it is kept, counted from the apply or from the later state that replaced it: nothing else records what that
apply created."""
NOTICE = timedelta(days=28)
"""How long before its deletion people are warned. Shorter than replies are kept, since the reply records the warning."""


def expire_unsaved(context: Context) -> int:
    """Warn about states that expire soon, and delete those that expired and were warned about long enough ago. Returns
    how many were deleted."""
    now, deleted = context.now(), 0
    with context.store.read() as tables:
        old = tables.unsaved.kept_since(now - KEPT + NOTICE)
    for state in old:
        with context.store.begin() as tables:
            warning = tables.surfaces.get(f"reply:{_origin(state).id}")
            if warning is None:
                _warn(context, tables, state, now + NOTICE)
            elif warning.settled_at is not None and warning.settled_at <= now - NOTICE:
                deleted += _drop(context, tables, state)
    return deleted


def _warn(context: Context, tables: Tables, state: Unsaved, until: datetime) -> None:
    """Post the warning on the pull request, open or not, and in the Slack channel."""
    next_step = f"Run `{command('push-state', state.target)}` to push it."
    if state.ended_at is not None:
        next_step = f"Your Towpath operator can get it with `towpath state unsaved {state.target.key}`."
    notice = Notice(
        f"The state of {state.target} that the apply of #{state.pull} could not upload (serial {state.serial}) will "
        f"be deleted after {until:%Y-%m-%d}. Nothing else records what that apply created.",
        next_step,
        "warning",
    )
    origin = _origin(state)
    context.tell(tables, origin, state.target.repository, state.pull, notice)
    if context.channel:
        channel = Origin(delivery=origin.delivery, index=1, channel=context.channel)
        context.tell(tables, channel, state.target.repository, state.pull, notice)


def _drop(context: Context, tables: Tables, state: Unsaved) -> bool:
    if not tables.unsaved.drop(state.id):
        return False
    record(
        context,
        tables,
        "state.lapsed",
        SYSTEM,
        AuditSubject(target=state.target, pull=state.pull, run_id=state.run_id),
        serial=state.serial,
        sha256=state.sha256,
    )
    show_open(tables, context.now(), state.target.repository)
    return True


def _origin(state: Unsaved) -> Origin:
    return Origin(delivery=f"lapses:{state.id}")
