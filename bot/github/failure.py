"""Turn a failed request into a ForgeError that says whether and when to retry."""

from __future__ import annotations

from typing import Any

import httpx
from githubkit.exception import GitHubException, RequestFailed, RequestTimeout

from bot.domain.ports.forge import ForgeError

UNAVAILABLE_PAUSE = 5.0
"""Seconds to wait after GitHub failed to answer (5xx, timeout, broken connection)."""

MIN_PAUSE = 60.0
"""Seconds to wait after a rate limit without `retry-after` or reset time. GitHub asks for at least a minute, and for
longer each time."""

MAX_PAUSE = 3600.0
"""Seconds to wait at most, so that a wrong reset time or a long series of limits cannot stop the bot for a day."""


class RateLimited(ForgeError):
    """GitHub rate-limits this token: send nothing with it for `retry_after` seconds."""


def failure(error: GitHubException, what: str, *, now: float, streak: int) -> ForgeError:
    """Return the ForgeError for a failed request.

    what: the request's method and path. now: seconds since the epoch. streak: how many times in a row the token was
    rate-limited before this request.
    """
    if not isinstance(error, RequestFailed):
        reason = "did not answer in time" if isinstance(error, RequestTimeout) else "could not be reached"
        return ForgeError(f"GitHub {reason} ({what}).", retry_after=UNAVAILABLE_PAUSE)
    response = error.response.raw_response
    status = response.status_code
    text = f"GitHub answered {status} to {what}: {message(response)}"
    if is_rate_limited(response):
        return RateLimited(text, status=status, retry_after=pause(response, now=now, streak=streak))
    if status >= 500:
        return ForgeError(text, status=status, retry_after=UNAVAILABLE_PAUSE)
    return ForgeError(text, status=status)


def message(response: httpx.Response) -> str:
    """Return GitHub's own error message, with the details of a 422."""
    try:
        body: Any = response.json()
    except ValueError:
        return response.reason_phrase
    if not isinstance(body, dict):
        return response.reason_phrase
    details = body.get("errors")
    text = str(body.get("message") or response.reason_phrase)
    return f"{text} {details}" if details else text


def is_rate_limited(response: httpx.Response) -> bool:
    """Return whether a 403 or 429 is a rate limit rather than a refusal."""
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
    """Return the seconds to wait: `retry-after`, else until `x-ratelimit-reset`, else a minute, doubled each time."""
    headers = response.headers
    try:
        if "retry-after" in headers:
            return max(float(headers["retry-after"]), 1.0)
        if headers.get("x-ratelimit-remaining") == "0":
            return min(max(float(headers["x-ratelimit-reset"]) - now, 1.0), MAX_PAUSE)
    except (KeyError, ValueError):  # not GitHub's header: a proxy may send a date
        pass
    return min(MIN_PAUSE * float(2 ** min(streak, 6)), MAX_PAUSE)
