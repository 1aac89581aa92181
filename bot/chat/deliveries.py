"""Handle a delivery: parse it into requests and act on each."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import structlog

from bot.chat.clicks import handle_click
from bot.chat.conversation import run_commands
from bot.domain.chat import (
    AppInstalled,
    ApprovalAnswered,
    CheckRerequested,
    ForceAcknowledged,
    MergeGroupRequested,
    Message,
    PullChanged,
    Pushed,
    RepositorySeen,
    Request,
    Reviewed,
)
from bot.domain.ports.forge import ForgeError
from bot.domain.ports.inbox import Delivery, Inbox
from bot.domain.ports.store import Tables
from bot.errors import TransientError, UserError
from bot.services.applies import apply_approved
from bot.services.approvals import read_reviews
from bot.services.authorship import remember_pushers
from bot.services.context import Context
from bot.services.pulls import check_rerequested, merge_group_requested, pull_changed, pushed

log = structlog.get_logger()

Understand = Callable[[Delivery], Sequence[Request]]


def handle_delivery(context: Context, inbox: Inbox, understand: Understand, delivery_id: str) -> None:
    """Act on a delivery. Repeating it after a crash creates nothing twice, since the ids of runs and replies are derived
    from the delivery's. Raises TransientError if a retry can help."""
    delivery = inbox.get(delivery_id)
    if delivery is None:
        return
    try:
        for request in understand(delivery):
            _handle(context, request, delivery_id)
    except ForgeError as error:
        if error.retry_after is None:
            log.warning(
                "GitHub refused the request", delivery=delivery_id, status=error.status, error=str(error)
            )
            return
        raise TransientError(str(error), retry_after=error.retry_after) from error
    except UserError as error:
        log.warning("no reply channel", delivery=delivery_id, error=str(error))


def note_pushers(understand: Understand, tables: Tables, deliveries: Sequence[Delivery]) -> None:
    """Record who pushed, before the deliveries are enqueued: in the queue they wait for all others of their pull request,
    and an approval must not be quicker."""
    for delivery in deliveries:
        if delivery.platform != "github" or delivery.event not in ("push", "pull_request"):
            continue
        try:
            requests = understand(delivery)
        except ValueError as error:  # an older version stored it; it must not stop all others
            log.warning("a delivery cannot be read", delivery=delivery.id, error=str(error)[:200])
            continue
        for request in requests:
            if isinstance(request, PullChanged | Pushed):
                remember_pushers(tables, request)


def _handle(context: Context, request: Request, delivery: str) -> None:
    match request:
        case RepositorySeen():
            context.learn(request.repository)
        case PullChanged():
            pull_changed(context, request, delivery)
        case Message():
            run_commands(context, request)
        case Pushed():
            pushed(context, request)
        case CheckRerequested():
            check_rerequested(context, request)
        case MergeGroupRequested():
            merge_group_requested(context, request)
        case Reviewed():
            for approval in read_reviews(context, request.repository, request.number):
                if approval.when_approved:
                    apply_approved(context, approval)
        case ApprovalAnswered() | ForceAcknowledged():
            handle_click(context, request)
        case AppInstalled():
            for repository in request.repositories:
                context.known(repository)
