"""Report a delivery that was abandoned, after an hour of retries or an internal error, to the person who sent it."""

from __future__ import annotations

from collections.abc import Collection
from contextlib import suppress
from dataclasses import replace
from datetime import timedelta

import structlog

from bot.chat import clicks
from bot.chat.answers import CommandReply, CommandScope, answered, post_reply
from bot.chat.conversation import lines_of, scope_of
from bot.chat.deliveries import Understand
from bot.domain.chat import ApprovalAnswered, ForceAcknowledged, Line, Message, split_words
from bot.domain.ports.forge import ForgeError
from bot.domain.ports.inbox import Inbox
from bot.domain.refusal import Refused
from bot.domain.sanitize import outside
from bot.errors import TransientError, UserError, reference
from bot.services.context import Context
from bot.services.runs import react

log = structlog.get_logger()

SKEW = timedelta(minutes=5)
"""How far the clocks of two machines may differ."""


def report_given_up(
    context: Context, inbox: Inbox, understand: Understand, delivery_id: str, ticket: str
) -> None:
    """Reply to each command and click of the delivery that has no reply yet. ticket: the reference, "" for a new one.
    Raises TransientError if a retry can help."""
    delivery = inbox.get(delivery_id)
    if delivery is None:
        return
    ticket = ticket or reference()
    log.error("gave up on a delivery", delivery=delivery_id, kind=delivery.event, reference=ticket)
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
            case Message() if not request.bot:
                _report(context, request, {run.origin.index for run in runs}, ticket)
            case ApprovalAnswered() | ForceAcknowledged():
                clicks.report_lost_click(context, request, ticket)


def _report(context: Context, message: Message, started: Collection[int], ticket: str) -> None:
    """Reply to each command. started: indexes of those that have runs, whose surfaces show how they end."""
    try:
        lines = lines_of(message)
    except UserError:
        lines = [Line(message.text[:100], 1)]
    # Slack accepts the response URL for only half an hour.
    message = replace(message, origin=replace(message.origin, response_url=""))
    for index, line in enumerate(lines):
        if index in started or answered(context, message, index):
            continue
        scope = CommandScope(message.repository, message.pull, [])
        with suppress(UserError):
            scope = scope_of(context, message, split_words(line.text), line.name)
        refusal = Refused(
            "given-up",
            f"`{outside(line.text)}` could not be processed; nothing was changed.",
            f"Run it again. If it fails again, give your Towpath operator the reference {ticket}.",
        )
        post_reply(context, message, CommandReply(index, scope, refusal))
        with context.store.begin() as tables:
            react(context, tables, message.origin, message.repository, message.pull, "-1")
