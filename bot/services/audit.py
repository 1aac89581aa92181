"""The audit record: who did what, from where, and why."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import Any

from bot.domain.actors import Actor
from bot.domain.audit import Entry
from bot.domain.ports.store import Tables
from bot.domain.run import Run
from bot.domain.target import Target
from bot.services.context import Context


@dataclass(frozen=True)
class AuditSubject:
    """What an entry is about: a target, pull request or run, where there is one."""

    target: Target | None = None
    pull: int = 0
    run_id: str = ""


def record(
    context: Context,
    tables: Tables,
    action: str,
    actor: Actor,
    subject: AuditSubject,
    **facts: Any,
) -> None:
    """Add an entry in the transaction of the change that it describes, so that neither exists without the other.

    It is chained at the end of the transaction, since adding to the record blocks all others until the commit.
    """
    entry = Entry(
        context.now(),
        action,
        login=actor.login,
        slack=actor.slack,
        via=actor.via,
        repository=subject.target.repository if subject.target else "",
        target=subject.target.key if subject.target else "",
        pull=subject.pull,
        run_id=subject.run_id,
        facts=facts,
    )
    tables.at_end.append(partial(tables.audit.add, entry))


def record_run(context: Context, tables: Tables, action: str, run: Run, **facts: Any) -> None:
    """Add an entry about a run, in the name of whoever requested it."""
    record(
        context,
        tables,
        action,
        run.actor,
        AuditSubject(target=run.target, pull=run.pull, run_id=run.id),
        **{"commit": run.commit, **facts},
    )
