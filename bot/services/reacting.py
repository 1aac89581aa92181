"""Reactions: 👀 when a command was seen, then what became of it; and answers that come when a run has ended."""

from __future__ import annotations

from dataclasses import replace

from bot.domain.ports.store import Tables
from bot.domain.ports.surfaces import Surface
from bot.domain.results import Result
from bot.domain.run import Origin, Run
from bot.services.context import Context

RANK = {"": 0, "eyes": 1, "+1": 2, "rocket": 3, "-1": 4}
"""A comment with several commands shows the most telling of their ends: a failure is never covered by a success."""


def react(
    context: Context, tables: Tables, origin: Origin, repository: str, pull: int, reaction: str
) -> None:
    """Want `reaction` on the comment a request came from; nothing where it came from elsewhere."""
    if not origin.comment:
        return
    subject = f"{repository}/{origin.comment}"
    have = tables.surfaces.get(f"reaction:{subject}")
    if have is not None and RANK[str(have.wanted.get("reaction", ""))] >= RANK[reaction]:
        return
    tables.surfaces.want(
        Surface(
            f"reaction:{subject}",
            "reaction",
            subject,
            repository,
            pull,
            wanted={"comment": origin.comment, "reaction": reaction},
            due_at=context.now(),
        )
    )


def react_to_end(context: Context, tables: Tables, run: Run, outcome: str) -> None:
    """🚀 for what was applied, 👍 for what was planned or looked at, 👎 for the rest."""
    reaction = {"applied": "rocket", "planned": "+1", "checked": "+1", "superseded": "+1"}.get(outcome, "-1")
    react(context, tables, run.origin, run.target.repository, run.pull, reaction)


def answer_later(context: Context, tables: Tables, run: Run, result: Result) -> None:
    """Answer where a run was asked for, now that it has ended, beside the answer that it is made; nothing where nobody
    asked for it."""
    if not run.origin.delivery:
        return
    origin = replace(
        run.origin,
        delivery=f"ended:{run.id}",
        index=0,
        response_url="",  # Slack: good for half an hour
    )
    context.tell(tables, origin, run.target.repository, run.pull, result)
