"""A delivery that was given up, after an hour of waiting or for a fault of ours: whoever said something in it, or
clicked, is told."""

from __future__ import annotations

from collections.abc import Collection
from contextlib import suppress
from dataclasses import replace
from datetime import timedelta

import structlog

from bot.domain.answers import Refused
from bot.domain.grammar import Line, outside, split
from bot.domain.ports.forge import ForgeError
from bot.domain.ports.inbox import Inbox
from bot.domain.requests import Acknowledged, Answered, Said
from bot.errors import TransientError, UserError, reference
from bot.runs import clicks
from bot.runs.answering import Place, answered, tell
from bot.runs.conversation import lines_of, place_of
from bot.runs.inbox import Understand
from bot.services.context import Context
from bot.services.reacting import react

log = structlog.get_logger()

SKEW = timedelta(minutes=5)
"""By how much the clocks of two of our machines may differ."""


def lost(context: Context, inbox: Inbox, understand: Understand, delivery_id: str, ticket: str) -> None:
    """Answer each command and each click of the delivery that has no answer yet, with the reference `ticket` (empty: a new one).
    Raises TransientError where waiting helps."""
    delivery = inbox.get(delivery_id)
    if delivery is None:
        return
    ticket = ticket or reference()
    log.error("a delivery was given up", delivery=delivery_id, kind=delivery.event, reference=ticket)
    try:
        requests = understand(delivery)
    except ForgeError as error:
        if error.retry_after is None:
            return
        raise TransientError(str(error), retry_after=error.retry_after) from error
    with context.store.read() as tables:
        runs = tables.runs.of_delivery(delivery_id, delivery.received_at - SKEW)
    for request in requests:
        match request:
            case Said() if not request.bot:
                _apologise(context, request, {run.origin.index for run in runs}, ticket)
            case Answered() | Acknowledged():
                clicks.lost(context, request, ticket)


def _apologise(context: Context, said: Said, begun: Collection[int], ticket: str) -> None:
    """`begun`: indexes of commands that have runs, whose surfaces tell how they end."""
    try:
        lines = lines_of(said)
    except UserError:
        lines = [Line(said.text[:100], 1)]
    said = replace(said, origin=replace(said.origin, response_url=""))  # Slack: good for half an hour
    for index, line in enumerate(lines):
        if index in begun or answered(context, said, index):
            continue
        place = Place(said.repository, said.pull, [])
        with suppress(UserError):
            place = place_of(context, said, split(line.text), line.name)
        no = Refused(
            "given-up",
            f"`{outside(line.text)}` could not be done, and nothing was changed.",
            f"Say it again; if that does not help, show your operator the reference {ticket}.",
        )
        tell(context, said, index, place, no)
        with context.store.begin() as tables:
            react(context, tables, said.origin, said.repository, said.pull, "-1")
    context.poke()
