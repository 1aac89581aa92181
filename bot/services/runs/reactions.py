"""React to commands: 👀 when one is seen, then its outcome. Reply when a run has ended."""

from __future__ import annotations

from dataclasses import replace

from bot.domain.chat import Result
from bot.domain.ports.store import Tables
from bot.domain.ports.surfaces import Surface
from bot.domain.run import Origin, Run
from bot.services.context import Context

RANK = {"": 0, "eyes": 1, "+1": 2, "rocket": 3, "-1": 4}
"""A comment with several commands shows the highest rank, so a success never hides a failure."""


def react(
    context: Context, tables: Tables, origin: Origin, repository: str, pull: int, reaction: str
) -> None:
    """Set a reaction on the comment that made a request. Does nothing if the request came from elsewhere."""
    if not origin.comment:
        return
    subject = f"{repository}/{origin.comment}"
    current = tables.surfaces.get(f"reaction:{subject}")
    if current is not None and RANK[str(current.wanted.get("reaction", ""))] >= RANK[reaction]:
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
    """React to a run's end: 🚀 for an apply, 👍 for a plan or drift check, 👎 for anything else."""
    reaction = {
        "applied": "rocket",
        "destroyed": "rocket",
        "done": "rocket",
        "planned": "+1",
        "checked": "+1",
        "superseded": "+1",
    }.get(outcome, "-1")
    react(context, tables, run.origin, run.target.repository, run.pull, reaction)


def reply_to_requester(context: Context, tables: Tables, run: Run, result: Result) -> None:
    """Reply where a run was requested, now that it has ended. Does nothing if nobody requested it."""
    if not run.origin.delivery:
        return
    origin = replace(
        run.origin,
        delivery=f"ended:{run.id}",
        index=0,
        response_url="",  # Slack accepts it for only half an hour
    )
    context.tell(tables, origin, run.target.repository, run.pull, result)
