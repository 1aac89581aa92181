"""From a failed request to the port's ForgeError: is waiting of use, and how long."""

from __future__ import annotations

from typing import Any

import httpx
from githubkit.exception import GitHubException, RequestFailed, RequestTimeout

from bot.domain.ports.forge import ForgeError

UNAVAILABLE = 5.0
"""Seconds until a request that GitHub could not answer (5xx, timeout, broken connection) is worth another try."""

LEAST = 60.0
"""GitHub: without `retry-after` and reset time, wait at least a minute, longer each time."""

MOST = 3600.0


class RateLimited(ForgeError):
    """GitHub limits this token; nothing more may be sent until `retry_after` has passed."""


def failure(error: GitHubException, what: str, *, now: float, streak: int) -> ForgeError:
    """The ForgeError for a failed request.

    what: method and path. now: seconds since the epoch. streak: how often in a row the token was limited before.
    """
    if not isinstance(error, RequestFailed):
        why = "did not answer in time" if isinstance(error, RequestTimeout) else "could not be reached"
        return ForgeError(f"GitHub {why} ({what}).", retry_after=UNAVAILABLE)
    response = error.response.raw_response
    status = response.status_code
    text = f"GitHub answered {status} to {what}: {message(response)}"
    if limited(response):
        return RateLimited(text, status=status, retry_after=pause(response, now=now, streak=streak))
    if status >= 500:
        return ForgeError(text, status=status, retry_after=UNAVAILABLE)
    return ForgeError(text, status=status)


def message(response: httpx.Response) -> str:
    """GitHub's own words, with the details of a 422."""
    try:
        body: Any = response.json()
    except ValueError:
        return response.reason_phrase
    if not isinstance(body, dict):
        return response.reason_phrase
    details = body.get("errors")
    said = str(body.get("message") or response.reason_phrase)
    return f"{said} {details}" if details else said


def limited(response: httpx.Response) -> bool:
    """Whether a 403 or 429 means "later" and not "no"."""
    if response.status_code not in (403, 429):
        return False
    headers = response.headers
    return (
        response.status_code == 429
        or "retry-after" in headers
        or headers.get("x-ratelimit-remaining") == "0"
        or "rate limit" in message(response).lower()
    )


def pause(response: httpx.Response, *, now: float, streak: int) -> float:
    """Seconds to wait: `retry-after`, else until `x-ratelimit-reset`, else a minute that doubles with each time."""
    headers = response.headers
    try:
        if "retry-after" in headers:
            return max(float(headers["retry-after"]), 1.0)
        if headers.get("x-ratelimit-remaining") == "0":
            return min(max(float(headers["x-ratelimit-reset"]) - now, 1.0), MOST)
    except (KeyError, ValueError):  # a proxy's header, such as a date
        pass
    return min(LEAST * float(2 ** min(streak, 6)), MOST)
