"""States that could not be uploaded and that nobody pushed: kept for a year, and told about before they go."""

from __future__ import annotations

from datetime import datetime, timedelta

from bot.domain.gates import command
from bot.domain.ports.store import Tables
from bot.domain.results import Noted
from bot.domain.run import Origin
from bot.domain.unsaved import Unsaved
from bot.services.auditing import record
from bot.services.context import Context, show_open

KEPT = timedelta(days=365)
"""Since it was kept, or since somebody else's state overtook it: in it alone stands what that apply made."""
NOTICE = timedelta(days=28)
"""How long before it goes people are told. Shorter than answers are remembered: by that answer it is known."""


def lapse(context: Context) -> int:
    """Tell of those that go soon; delete those whose time is over, and of which people were told so long ago. Returns
    how many are gone."""
    now, gone = context.now(), 0
    with context.store.read() as tables:
        old = tables.unsaved.kept_since(now - KEPT + NOTICE)
    for state in old:
        with context.store.begin() as tables:
            told = tables.surfaces.get(f"reply:{_origin(state).id}")
            if told is None:
                _tell(context, tables, state, now + NOTICE)
            elif told.settled_at is not None and told.settled_at <= now - NOTICE:
                gone += _drop(context, tables, state)
    if old:
        context.poke()
    return gone


def _tell(context: Context, tables: Tables, state: Unsaved, until: datetime) -> None:
    """In its pull request, open or not, and in Slack's channel."""
    push = f"`{command('push-state', state.target)}` pushes it."
    if state.ended_at is not None:
        push = f"Whoever runs Towpath gets it with `towpath state unsaved {state.target.key}`."
    notice = Noted(
        f"The state of {state.target} that the apply of #{state.pull} could not upload (serial {state.serial}) is "
        f"deleted after {until:%Y-%m-%d}; what that apply made stands in it alone.",
        push,
        "warning",
    )
    origin = _origin(state)
    context.tell(tables, origin, state.target.repository, state.pull, notice)
    if context.channel:
        there = Origin(delivery=origin.delivery, index=1, channel=context.channel)
        context.tell(tables, there, state.target.repository, state.pull, notice)


def _drop(context: Context, tables: Tables, state: Unsaved) -> bool:
    if not tables.unsaved.drop(state.id):
        return False
    record(
        context,
        tables,
        "state.lapsed",
        target=state.target,
        pull=state.pull,
        run_id=state.run_id,
        serial=state.serial,
        sha256=state.sha256,
    )
    show_open(tables, context.now(), state.target.repository)
    return True


def _origin(state: Unsaved) -> Origin:
    return Origin(delivery=f"lapses:{state.id}")
