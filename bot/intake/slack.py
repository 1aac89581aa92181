"""Slack's requests: kept once by the door that Bolt stands in, and what they mean."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import asdict
from datetime import UTC, datetime

import structlog

from bot.domain.people import Actor
from bot.domain.ports.store import Delivery, Inbox
from bot.domain.requests import Request, Said
from bot.domain.run import Origin
from bot.slack.request import SlackDelivery, SlackRequest

log = structlog.get_logger()


def keep(inbox: Inbox, ring: Callable[[], None]) -> Callable[[SlackDelivery], bool]:
    """What a Bolt listener does: store the delivery under its id, and nothing else before the answer."""

    def accept(delivery: SlackDelivery) -> bool:
        request = delivery.request
        kept = inbox.accept(
            Delivery(
                f"slack-{delivery.id}",
                "slack",
                request.kind,
                f"slack:{request.channel or request.user}",
                json.dumps(asdict(request)).encode(),
                datetime.now(UTC),
            )
        )
        if kept:
            ring()
        return kept

    return accept


def understand(delivery: Delivery) -> list[Request]:
    """A slash command, a mention or a button is one command; other things ask for nothing yet."""
    request = SlackRequest(**json.loads(delivery.body))
    actor = Actor(slack=f"{request.team}/{request.user}", via="slack")
    thread = request.thread_ts or (request.message_ts if request.kind in ("action", "mention") else "")
    origin = Origin(
        delivery.id,
        channel=request.channel,
        thread=thread,
        user=request.user,
        response_url=request.response_url,
        asked=delivery.received_at.timestamp(),
    )
    if request.kind in ("command", "mention"):
        return [Said(actor, request.text, origin, slash=True)]
    if request.kind == "action" and (asked := button(request.value)):
        text, repository, pull = asked
        return [Said(actor, text, origin, repository, pull, slash=True)]
    return []


def button(value: str) -> tuple[str, str, int] | None:
    """(command, repository, pull request) of a button's value. It can be forged: it grants nothing by itself."""
    try:
        data = json.loads(value)
        return str(data["c"])[:2000], str(data["r"])[:200], int(data["p"])
    except (ValueError, KeyError, TypeError, OverflowError, RecursionError):
        log.info("a button without a command", value=value[:100])
        return None
