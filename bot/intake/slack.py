"""Slack's requests: kept once by the door that Bolt stands in, and what they mean."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import asdict, replace
from datetime import UTC, datetime
from typing import Literal

import structlog

from bot.domain.people import Actor
from bot.domain.ports.inbox import Delivery, Inbox
from bot.domain.requests import Acknowledged, Answered, Request, Said
from bot.domain.run import Origin
from bot.intake.clicks import about, entered, follow_up
from bot.render.modals import ENVIRONMENT, REASON, TEXT
from bot.slack.request import SlackDelivery, SlackRequest

log = structlog.get_logger()

_CLICKS: dict[str, Literal["approve", "reject"]] = {"modal:approve": "approve", "modal:reject": "reject"}
_SUBMISSIONS: dict[str, Literal["approve", "reject"]] = {"approve": "approve", "reject": "reject"}


def keep(inbox: Inbox, ring: Callable[[], None]) -> Callable[[SlackDelivery], bool]:
    """What a Bolt listener does: store the delivery under its id, and nothing else before the answer."""

    def accept(delivery: SlackDelivery) -> bool:
        request = delivery.request
        kept = inbox.accept(
            Delivery(
                f"slack-{delivery.id}",
                "slack",
                request.kind,
                _conversation(request),
                json.dumps(asdict(request)).encode(),
                datetime.now(UTC),
            )
        )
        if kept:
            ring()
        return kept

    return accept


def understand(delivery: Delivery) -> list[Request]:
    """A slash command, a mention or a button is one command; a decision's button or modal is an answer to an approval;
    other things ask for nothing."""
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
    if request.kind == "submission" or _decides(request):
        return _answers(request, actor, origin)
    if request.kind == "action" and (asked := button(request.value)):
        text, repository, pull = asked
        return [Said(actor, text, origin, repository, pull, slash=True)]
    return []


def _decides(request: SlackRequest) -> bool:
    return request.kind == "action" and (request.action_id == "acknowledge" or request.action_id in _CLICKS)


def _answers(request: SlackRequest, actor: Actor, origin: Origin) -> list[Request]:
    """Answered where the click was made, for its author alone: a submission knows that place by its view."""
    origin = replace(origin, thread=request.thread_ts)
    if request.action_id == "acknowledge":
        found = follow_up(request.value)
        return [Acknowledged(found, actor, origin)] if found else []
    asked = about(request.value)
    word = (_CLICKS if request.kind == "action" else _SUBMISSIONS).get(request.action_id)
    if asked is None or word is None:
        log.info("an answer to nothing", action=request.action_id, value=request.value[:100])
        return []
    if request.kind == "submission":
        origin = replace(origin, channel=asked.channel or request.user, thread=asked.thread)
    reason, typed = (entered(request.view, block, TEXT)[:500] for block in (REASON, ENVIRONMENT))
    return [Answered(asked.approval, asked.digest, actor, word, reason, typed, origin)]


def _conversation(request: SlackRequest) -> str:
    """What is worked through in the order of its coming in: the answers to one approval, else what is said in one
    channel."""
    if request.kind in ("action", "submission") and (asked := about(request.value)):
        return f"slack:approval:{asked.approval}"
    return f"slack:{request.channel or request.user}"


def button(value: str) -> tuple[str, str, int] | None:
    """(command, repository, pull request) of a button's value. It can be forged: it grants nothing by itself."""
    try:
        data = json.loads(value)
        return str(data["c"])[:2000], str(data["r"])[:200], int(data["p"])
    except (ValueError, KeyError, TypeError, OverflowError, RecursionError):
        log.info("a button without a command", value=value[:100])
        return None
