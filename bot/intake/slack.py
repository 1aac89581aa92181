"""Slack deliveries: store them, and read the requests in them."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import asdict, replace
from datetime import UTC, datetime
from typing import Literal

import structlog

from bot.domain.actors import Actor
from bot.domain.chat import ApprovalAnswered, ForceAcknowledged, Message, Request
from bot.domain.ports.inbox import Delivery, Inbox
from bot.domain.run import Origin
from bot.intake.clicks import input_value, parse_approval_ref, parse_button, parse_follow_up
from bot.render.modals import ENVIRONMENT, REASON, TEXT
from bot.slack.request import SlackDelivery, SlackRequest

log = structlog.get_logger()

_CLICKS: dict[str, Literal["approve", "reject"]] = {"modal:approve": "approve", "modal:reject": "reject"}
_SUBMISSIONS: dict[str, Literal["approve", "reject"]] = {"approve": "approve", "reject": "reject"}


def delivery_store(inbox: Inbox, wake: Callable[[], None]) -> Callable[[SlackDelivery], bool]:
    """Return the function that stores a Slack delivery and reports whether it is new.

    It does nothing else, since Slack waits for the answer. wake: tells the dispatcher that there is a new delivery.
    """

    def store(delivery: SlackDelivery) -> bool:
        request = delivery.request
        new = inbox.accept(
            Delivery(
                f"slack-{delivery.id}",
                "slack",
                request.kind,
                _conversation(request),
                json.dumps(asdict(request)).encode(),
                datetime.now(UTC),
            )
        )
        if new:
            wake()
        return new

    return store


def parse_requests(delivery: Delivery) -> list[Request]:
    """Return the requests in a stored delivery.

    A slash command, a mention and a button are one command each; an approval's button or modal is an answer to it.
    Everything else is no request.
    """
    request = SlackRequest(**json.loads(delivery.body))
    actor = Actor(slack=f"{request.team}/{request.user}", via="slack")
    thread = request.thread_ts or (request.message_ts if request.kind in ("action", "mention") else "")
    origin = Origin(
        delivery.id,
        channel=request.channel,
        thread=thread,
        user=request.user,
        response_url=request.response_url,
        asked=request.written_at or delivery.received_at.timestamp(),
    )
    if request.kind in ("command", "mention"):
        return [Message(actor, request.text, origin, slash=True)]
    if request.kind == "submission" or _is_decision(request):
        return _decisions(request, actor, origin)
    if request.kind == "action" and (button := parse_button(request.value)):
        return [Message(actor, button.text, origin, button.repository, button.pull, slash=True)]
    return []


def _is_decision(request: SlackRequest) -> bool:
    return request.kind == "action" and (request.action_id == "acknowledge" or request.action_id in _CLICKS)


def _decisions(request: SlackRequest, actor: Actor, origin: Origin) -> list[Request]:
    """Return the answer to an approval or a follow-up.

    The reply goes where the person clicked, for them alone. A submission has no channel of its own: its view's metadata
    names the place.
    """
    origin = replace(origin, thread=request.thread_ts)
    if request.action_id == "acknowledge":
        follow_up = parse_follow_up(request.value)
        return [ForceAcknowledged(follow_up, actor, origin)] if follow_up else []
    ref = parse_approval_ref(request.value)
    answer = (_CLICKS if request.kind == "action" else _SUBMISSIONS).get(request.action_id)
    if ref is None or answer is None:
        log.info("answer to no approval ignored", action=request.action_id, value=request.value[:100])
        return []
    if request.kind == "submission":
        origin = replace(origin, channel=ref.channel or request.user, thread=ref.thread)
    reason, typed = (input_value(request.view, block, TEXT)[:500] for block in (REASON, ENVIRONMENT))
    return [ApprovalAnswered(ref.approval, ref.digest, actor, answer, reason, typed, origin)]


def _conversation(request: SlackRequest) -> str:
    """Return the key of the deliveries that are processed in order: an approval's answers, else a channel's messages."""
    if request.kind in ("action", "submission") and (ref := parse_approval_ref(request.value)):
        return f"slack:approval:{ref.approval}"
    return f"slack:{request.channel or request.user}"
