"""Request redelivery of failed webhooks. GitHub never redelivers by itself."""

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

MAX_ATTEMPTS = 4
"""How often one event is delivered at most, so that an event that always fails here is given up."""

LOOKBACK = timedelta(hours=6)
"""How far back to look for failed deliveries, such as those sent while the bot was down."""


@dataclass(frozen=True)
class _Attempt:
    """One attempt of GitHub to deliver an event. All attempts for an event share `guid` (X-GitHub-Delivery)."""

    id: int
    guid: str
    delivered_at: datetime
    ok: bool


class _Client(Protocol):
    wire: Wire


class Deliveries:
    """The redelivery sweep. GitHub keeps deliveries for three days."""

    def redeliver_missed(self: _Client, since: datetime) -> int:
        """Request redelivery of every event since `since` (aware) that was never delivered; return how many.

        Returns 0 without an App: only Apps can list their deliveries. Raises ForgeError.
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
            if len(attempts) < MAX_ATTEMPTS and not any(attempt.ok for attempt in attempts)
        ]
        for attempt in reversed(missed):  # oldest event first
            try:
                tokens.as_app("POST", f"/app/hook/deliveries/{attempt.id}/attempts")
            except ForgeError as error:
                if error.retry_after is not None:
                    raise
        return len(missed)


def _attempts(tokens: AppTokens, since: datetime) -> Iterator[_Attempt]:
    """Yield all delivery attempts since `since`, newest first."""
    params = {"per_page": "100"}
    while True:
        answer = tokens.as_app("GET", "/app/hook/deliveries", params=params)
        for attempt in parsed_list(answer, _read_attempt):
            if attempt.delivered_at < since:
                return
            yield attempt
        if "next" not in answer.links:
            return
        params["cursor"] = httpx.URL(answer.links["next"]["url"]).params["cursor"]


def _read_attempt(data: Fields) -> _Attempt:
    return _Attempt(
        id=data.number("id"),
        guid=data.text("guid"),
        delivered_at=data.time("delivered_at"),
        ok=200 <= data.number("status_code") < 300,
    )
