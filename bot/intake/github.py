"""GitHub deliveries: verify and store them, and read the requests in them."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any
from urllib.parse import parse_qs

import structlog

from bot.domain.actors import Actor
from bot.domain.chat import (
    AppInstalled,
    CheckRerequested,
    MergeGroupRequested,
    Message,
    PullChanged,
    Pushed,
    RepositorySeen,
    Request,
    Reviewed,
)
from bot.domain.ports.inbox import Delivery, Inbox
from bot.domain.run import Origin
from bot.github import events, webhook

log = structlog.get_logger()

MAX_PAYLOAD = 25 * 1024 * 1024
"""GitHub's limit for a webhook payload: 25 MB."""

PULL_ACTIONS = frozenset(
    ["opened", "synchronize", "reopened", "ready_for_review", "closed", "edited", "labeled"]
)
"""Actions of the `pull_request` event that change what the bot does."""

PUSHING = frozenset(["opened", "synchronize"])
"""Actions of that event whose sender is who pushed."""

_COMMAND_LINE = re.compile(r"(?:\A|[\r\n]) *+/")
"""A line that may be a command. It also matches paths and code: telling those apart needs the comment's Markdown, which
takes too long to parse before the answer."""

Answer = tuple[int, str]
"""Status and text."""


class GitHubIntake:
    """`POST /github/webhook`: stores deliveries and answers; the work is done later.

    secret: of the webhook. wake: tells the dispatcher that there is a new delivery.
    """

    def __init__(self, inbox: Inbox, secret: str, wake: Callable[[], None]) -> None:
        self._inbox, self._secret, self._wake = inbox, secret, wake

    def refuse(self, headers: Mapping[str, str]) -> Answer | None:
        """Return the answer to a request whose headers show that no body can be right, or None to read it."""
        if webhook.may_be_signed(self._secret, headers.get("x-hub-signature-256")):
            return None
        return 401, "wrong signature"

    def receive(self, headers: Mapping[str, str], body: bytes) -> Answer:
        """Answer a webhook: 202 stored, duplicate or ignored; 401 unsigned; 413 too large; 400 malformed.

        headers: names in lower case. A delivery is stored under its unique id before the answer, so that a repeated or
        concurrent delivery changes nothing. One without a request (most comments) is stored without its body and is
        not processed further.
        """
        if len(body) > MAX_PAYLOAD:
            return 413, "payload too large"
        if not webhook.verify(self._secret, body, headers.get("x-hub-signature-256")):
            return 401, "wrong signature"
        name, delivery_id = headers.get("x-github-event", ""), headers.get("x-github-delivery", "")
        if name == "ping":
            return 200, "pong"
        if not name or not 0 < len(delivery_id) <= 100 or not delivery_id.isprintable():
            return 400, "missing X-GitHub-Event or X-GitHub-Delivery"
        try:
            event = events.read(name, decode_body(headers.get("content-type", ""), body))
        except (events.Malformed, ValueError, RecursionError) as error:
            log.warning("malformed webhook", webhook=name, delivery=delivery_id, error=str(error)[:200])
            return 400, "malformed payload"
        if event is None or not is_relevant(event):
            return 202, "ignored"
        delivery = Delivery(
            unique_id(event, delivery_id),
            "github",
            name,
            conversation(event),
            body,
            datetime.now(UTC),
            {"content-type": headers.get("content-type", ""), "delivery": delivery_id},
        )
        has_work = has_requests(event, delivery)
        if not self._inbox.accept(delivery if has_work else replace(delivery, body=b""), done=not has_work):
            return 202, "duplicate"
        if has_work:
            self._wake()
        return 202, "stored"


def unique_id(event: events.Event, delivery_id: str) -> str:
    """Return the id that a delivery is stored under: a new comment's own, so that it is processed once whatever its
    delivery is called (a second webhook, a redelivery, a replay); otherwise GitHub's."""
    if isinstance(event, events.CommentEvent) and event.action == "created":
        return f"comment-{event.comment_id}"
    return delivery_id


def decode_body(content_type: str, body: bytes) -> Any:
    """Return the JSON of a webhook, sent as such or in the field `payload` of a form. Raises ValueError."""
    if content_type.startswith("application/x-www-form-urlencoded"):
        payload = parse_qs(body.decode(), strict_parsing=True, max_num_fields=10).get("payload")
        if not payload:
            raise ValueError("a form without payload")
        return json.loads(payload[0])
    return json.loads(body)


def conversation(event: events.Event) -> str:
    """Return the key of the deliveries that are processed in order: the pull request, else the repository."""
    if isinstance(event, events.InstallationEvent):
        return "installation"
    number = getattr(event, "number", 0) or getattr(getattr(event, "pull", None), "number", 0)
    return f"{event.repository.name}#{number}" if number else event.repository.name


def is_relevant(event: events.Event) -> bool:
    """Return whether to store the event at all. Most events are edits and comments of bots, including this one."""
    if isinstance(event, events.CommentEvent):
        return event.action == "created" and event.is_pull_request and event.author_type != "Bot"
    return True


def has_requests(event: events.Event, delivery: Delivery) -> bool:
    """Return whether the event contains a request.

    What a payload says about its repository (RepositorySeen) is none: every event with a request says it too.
    """
    if isinstance(event, events.InstallationEvent):
        return bool(event.added)
    return bool(_requests(event, delivery, lambda: ""))


def parse_requests(delivery: Delivery, own_login: Callable[[], str]) -> list[Request]:
    """Return the requests in a stored delivery. own_login: the bot's, whose comments are never commands."""
    event = events.read(delivery.event, decode_body(delivery.headers.get("content-type", ""), delivery.body))
    if event is None:
        return []
    if isinstance(event, events.InstallationEvent):
        return [AppInstalled(event.added)]
    return [RepositorySeen(event.repository), *_requests(event, delivery, own_login)]


def _requests(event: events.Event, delivery: Delivery, own_login: Callable[[], str]) -> list[Request]:
    match event:
        case events.PullRequestEvent() if event.action in PULL_ACTIONS:
            pusher, at = event.sender if event.action in PUSHING else "", event.pull.updated_at
            return [
                PullChanged(event.repository.name, event.number, event.action, event.head_sha, pusher, at)
            ]
        case events.CommentEvent() if is_relevant(event) and _COMMAND_LINE.search(event.body):
            return [_message(event, delivery, own_login)]
        case events.ReviewEvent() if event.review.state != "commented":  # a comment changes no approval
            return [Reviewed(event.repository.name, event.pull.number)]
        case events.PushEvent() if not event.deleted and event.ref.startswith("refs/heads/"):
            pushers = tuple(name for name in dict.fromkeys((event.sender, event.pusher)) if name)
            return [Pushed(event.repository.name, event.ref, event.after, event.commits, pushers)]
        case events.CheckRunEvent() if event.action == "rerequested":
            actor, origin = Actor(event.sender), Origin(delivery.id)
            return [CheckRerequested(event.repository.name, event.head_sha, event.name, actor, origin)]
        case events.MergeGroupEvent() if event.number:
            return [MergeGroupRequested(event.repository.name, event.number, event.head_sha, event.base_sha)]
    return []


def _message(event: events.CommentEvent, delivery: Delivery, own_login: Callable[[], str]) -> Message:
    by_bot = (
        event.author == own_login()
    )  # with a token instead of an App, the bot's comments come from a User
    written_at = event.created_at.timestamp()  # never when it was delivered, which may be hours later
    origin = Origin(delivery.id, comment=event.comment_id, url=event.url, asked=written_at)
    return Message(Actor(event.author), event.body, origin, event.repository.name, event.number, bot=by_bot)
