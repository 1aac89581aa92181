"""Webhook deliveries that failed, since GitHub never sends one again by itself."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Protocol

import httpx

from bot.domain.ports.forge import ForgeError
from bot.github.fields import Fields
from bot.github.tokens import AppTokens
from bot.github.wire import Wire, parsed_list

ATTEMPTS = 4
"""How often one event is asked for before it is left alone: an event that the bot always fails on must end."""
MISSED = timedelta(hours=6)
"""How far back GitHub is asked for deliveries that failed, such as while nothing ran here."""


@dataclass(frozen=True)
class _Attempt:
    id: int
    guid: str
    delivered_at: datetime
    ok: bool


class _Bot(Protocol):
    wire: Wire


class Deliveries:
    """The redelivery sweep. GitHub keeps deliveries for three days; a redelivery has the same X-GitHub-Delivery."""

    def redeliver_missed(self: _Bot, since: datetime) -> int:
        """Ask again for each event since `since` (aware) of which no delivery succeeded; returns how many.

        Without an App there is nothing to ask: 0. Raises ForgeError.
        """
        tokens = self.wire.tokens
        if not isinstance(tokens, AppTokens):
            return 0
        events: dict[str, list[_Attempt]] = defaultdict(list)
        for attempt in _attempts(tokens, since):
            events[attempt.guid].append(attempt)
        missed = [
            attempts[0]
            for attempts in events.values()
            if len(attempts) < ATTEMPTS and not any(attempt.ok for attempt in attempts)
        ]
        for attempt in reversed(missed):  # the oldest event first
            try:
                tokens.as_app("POST", f"/app/hook/deliveries/{attempt.id}/attempts")
            except ForgeError as error:
                if error.retry_after is not None:
                    raise
        return len(missed)


def _attempts(tokens: AppTokens, since: datetime) -> Iterator[_Attempt]:
    """All attempts, newest first, back to `since`."""
    params = {"per_page": "100"}
    while True:
        answer = tokens.as_app("GET", "/app/hook/deliveries", params=params)
        for attempt in parsed_list(answer, _read):
            if attempt.delivered_at < since:
                return
            yield attempt
        if "next" not in answer.links:
            return
        params["cursor"] = httpx.URL(answer.links["next"]["url"]).params["cursor"]


def _read(data: Fields) -> _Attempt:
    return _Attempt(
        id=data.number("id"),
        guid=data.text("guid"),
        delivered_at=data.time("delivered_at"),
        ok=200 <= data.number("status_code") < 300,
    )
