"""GitHub's webhooks: verified, kept once, and what they mean."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any
from urllib.parse import parse_qs

import structlog

from bot.domain.people import Actor
from bot.domain.ports.inbox import Delivery, Inbox
from bot.domain.requests import (
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
from bot.domain.run import Origin
from bot.github import events, webhook

log = structlog.get_logger()

LARGEST = 25 * 1024 * 1024
"""GitHub: a webhook's payload, 25 MB."""

FOLLOWED = frozenset(["opened", "synchronize", "reopened", "ready_for_review", "closed", "edited"])

_MAYBE = re.compile(r"(?:\A|[\r\n]) *+/")
"""A line that starts as a command does. It finds more than there are, such as paths and code: what is one is read with
the whole comment's Markdown, which is too much to do before the answer."""

Answer = tuple[int, str]


class GitHubDoor:
    """`POST /github/webhook`. Answers within the request; the work comes later."""

    def __init__(self, inbox: Inbox, secret: str, ring: Callable[[], None]) -> None:
        self._inbox, self._secret, self._ring = inbox, secret, ring

    def take(self, headers: Mapping[str, str], body: bytes) -> Answer:
        """(status, text): 202 kept, known or of no interest; 401 unsigned; 413 too large; 400 malformed.

        `headers` are lower-cased. A delivery is kept under GitHub's id before the answer, so that one that comes
        again, or twice at once, changes nothing. What asks for nothing, most of what people write, is kept without its
        body and makes no work.
        """
        if len(body) > LARGEST:
            return 413, "larger than GitHub sends"
        if not webhook.verify(self._secret, body, headers.get("x-hub-signature-256")):
            return 401, "the signature is wrong"
        name, delivery_id = headers.get("x-github-event", ""), headers.get("x-github-delivery", "")
        if name == "ping":
            return 200, "pong"
        if not name or not 0 < len(delivery_id) <= 100 or not delivery_id.isprintable():
            return 400, "X-GitHub-Event or X-GitHub-Delivery is missing"
        try:
            event = events.read(name, decode(headers.get("content-type", ""), body))
        except (events.Malformed, ValueError, RecursionError) as error:
            log.warning("a malformed webhook", webhook=name, delivery=delivery_id, error=str(error)[:200])
            return 400, "the payload is not what its event says"
        if event is None or not concerns(event):
            return 202, "of no interest"
        delivery = Delivery(
            delivery_id,
            "github",
            name,
            conversation(event),
            body,
            datetime.now(UTC),
            {"content-type": headers.get("content-type", "")},
        )
        asks = asks_something(event, delivery)
        if not self._inbox.accept(delivery if asks else replace(delivery, body=b""), done=not asks):
            return 202, "known"
        if asks:
            self._ring()
        return 202, "kept"


def decode(content_type: str, body: bytes) -> Any:
    """The JSON of a webhook, also where it comes as a form's field `payload`. Raises ValueError."""
    if content_type.startswith("application/x-www-form-urlencoded"):
        found = parse_qs(body.decode(), strict_parsing=True, max_num_fields=10).get("payload")
        if not found:
            raise ValueError("a form without payload")
        return json.loads(found[0])
    return json.loads(body)


def conversation(event: events.Event) -> str:
    """What keeps its deliveries in order: the pull request, else the repository."""
    if isinstance(event, events.InstallationEvent):
        return "installation"
    number = getattr(event, "number", 0) or getattr(getattr(event, "pull", None), "number", 0)
    return f"{event.repository.name}#{number}" if number else event.repository.name


def concerns(event: events.Event) -> bool:
    """Whether anything may come of it. Bots' comments and edits, our own among them, are the most of what comes."""
    if isinstance(event, events.CommentEvent):
        return event.action == "created" and event.is_pull_request and event.author_type != "Bot"
    return True


def asks_something(event: events.Event, delivery: Delivery) -> bool:
    """Whether work may come of it. What a payload tells of its repository is no reason by itself: each that asks for
    something tells it as well."""
    if isinstance(event, events.InstallationEvent):
        return bool(event.added)
    return bool(_requests(event, delivery, lambda: ""))


def understand(delivery: Delivery, me: Callable[[], str]) -> list[Request]:
    """What a kept delivery asks for. `me` gives the bot's own login, whose comments are never commands."""
    event = events.read(delivery.event, decode(delivery.headers.get("content-type", ""), delivery.body))
    if event is None:
        return []
    if isinstance(event, events.InstallationEvent):
        return [Installed(event.added)]
    return [Seen(event.repository), *_requests(event, delivery, me)]


def _requests(event: events.Event, delivery: Delivery, me: Callable[[], str]) -> list[Request]:
    match event:
        case events.PullRequestEvent() if event.action in FOLLOWED:
            return [PullChanged(event.repository.name, event.number, event.action, event.head_sha)]
        case events.CommentEvent() if concerns(event) and _MAYBE.search(event.body):
            bot = event.author == me()  # with a token instead of an App, the bot is a User

            asked = delivery.received_at.timestamp()
            origin = Origin(delivery.id, comment=event.comment_id, url=event.url, asked=asked)
            return [
                Said(Actor(event.author), event.body, origin, event.repository.name, event.number, bot=bot)
            ]
        case events.ReviewEvent() if (
            event.review.state != "commented"
        ):  # a comment neither approves nor refuses
            return [Reviewed(event.repository.name, event.pull.number)]
        case events.PushEvent() if (
            not event.deleted and event.ref == f"refs/heads/{event.repository.default_branch}"
        ):
            return [Pushed(event.repository.name, event.ref, event.after)]
        case events.CheckRunEvent() if event.action == "rerequested":
            return [
                CheckAgain(
                    event.repository.name,
                    event.head_sha,
                    event.name,
                    Actor(event.sender),
                    Origin(delivery.id),
                )
            ]
        case events.MergeGroupEvent() if event.number:
            return [QueueAsked(event.repository.name, event.number, event.head_sha, event.base_sha)]
    return []
