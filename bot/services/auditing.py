"""The audit record: who did what, from where, on what grounds."""

from __future__ import annotations

from functools import partial
from typing import Any

from bot.domain.audit import Entry
from bot.domain.people import SYSTEM, Actor
from bot.domain.ports.store import Tables
from bot.domain.run import Run
from bot.domain.target import Target
from bot.services.context import Context


def record(
    context: Context,
    tables: Tables,
    action: str,
    actor: Actor = SYSTEM,
    *,
    target: Target | None = None,
    repository: str = "",
    pull: int = 0,
    run_id: str = "",
    **facts: Any,
) -> None:
    """Add an entry, within the transaction of what it tells of: the one is never there without the other.

    It is chained as the transaction's last act: whoever adds to the record keeps all others from it until the commit.
    """
    entry = Entry(
        context.now(),
        action,
        login=actor.login,
        slack=actor.slack,
        via=actor.via,
        repository=repository or (target.repository if target else ""),
        target=target.key if target else "",
        pull=pull,
        run_id=run_id,
        facts=facts,
    )
    tables.at_end.append(partial(tables.audit.add, entry))


def record_run(context: Context, tables: Tables, action: str, run: Run, **facts: Any) -> None:
    """The same for what a run does, by whoever asked for it."""
    record(
        context,
        tables,
        action,
        run.actor,
        target=run.target,
        pull=run.pull,
        run_id=run.id,
        **{"commit": run.commit, **facts},
    )
