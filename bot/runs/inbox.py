"""One delivery, worked through: what it means, and what the bot does of it."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import structlog

from bot.domain.ports.forge import ForgeError
from bot.domain.ports.inbox import Delivery, Inbox
from bot.domain.requests import (
    Acknowledged,
    Answered,
    CheckAgain,
    Installed,
    PullChanged,
    Pushed,
    QueueAsked,
    Request,
    Reviewed,
    Said,
    Seen,
)
from bot.errors import TransientError, UserError
from bot.runs.clicks import click
from bot.runs.conversation import hear
from bot.services import applying, deciding, following
from bot.services.context import Context

log = structlog.get_logger()

Understand = Callable[[Delivery], Sequence[Request]]


def handle(context: Context, inbox: Inbox, understand: Understand, delivery_id: str) -> None:
    """Do what a delivery asks for. Entering again after a crash makes nothing twice: runs and answers have ids made
    of the delivery's. Raises TransientError where waiting helps."""
    delivery = inbox.get(delivery_id)
    if delivery is None:
        return
    try:
        for request in understand(delivery):
            _do(context, request, delivery_id)
    except ForgeError as error:
        if error.retry_after is None:
            log.warning("GitHub refused", delivery=delivery_id, status=error.status, error=str(error))
            return
        raise TransientError(str(error), retry_after=error.retry_after) from error
    except UserError as error:
        log.warning("nobody to tell", delivery=delivery_id, error=str(error))


def _do(context: Context, request: Request, delivery: str) -> None:
    match request:
        case Seen():
            context.learn(request.repository)
        case PullChanged():
            following.pull_changed(context, request, delivery)
        case Said():
            hear(context, request)
        case Pushed():
            following.pushed(context, request)
        case CheckAgain():
            following.check_again(context, request)
        case QueueAsked():
            following.queued(context, request)
        case Reviewed():
            for approval in deciding.reviewed(context, request.repository, request.number):
                if approval.when_approved:
                    applying.go_on(context, approval)
        case Answered() | Acknowledged():
            click(context, request)
        case Installed():
            for repository in request.repositories:
                context.known(repository)
