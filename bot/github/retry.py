"""Which failed requests to GitHub are sent again at once, without the caller noticing."""

from __future__ import annotations

import time
from collections.abc import Callable

import httpx
from githubkit.exception import RateLimitExceeded, RequestError, RequestFailed
from tenacity import RetryCallState, Retrying, stop_after_attempt, wait_exponential

IDEMPOTENT = frozenset(["GET", "HEAD", "PUT", "PATCH", "DELETE"])
"""Methods that may be sent twice. PATCH, since all of ours set whole values. Never POST: one comment against a 502
must go out once."""

TRIES = 3
"""How often an idempotent request is sent at most."""

SHORT = 5.0
"""Seconds up to which a rate limit is waited out in place; above it the caller's queue waits."""


def retrying(method: str, delay: float, *, sleep: Callable[[float], None] = time.sleep) -> Retrying:
    """Return what calls a function that sends a request of this method, again where that may help.

    A request is repeated once after a short rate limit, and an idempotent one twice after a server error or a broken
    connection. The last error is raised as it was.

    delay: seconds before the first repetition, doubled for the second.
    """
    doubled = wait_exponential(multiplier=delay)

    def again(state: RetryCallState) -> bool:
        error = _error(state)
        if isinstance(error, RateLimitExceeded):
            return state.attempt_number == 1 and error.retry_after.total_seconds() <= SHORT
        failed = isinstance(error, RequestFailed) and error.response.status_code >= 500
        broken = isinstance(error, RequestError) and isinstance(error.exc, httpx.TransportError)
        return (failed or broken) and method in IDEMPOTENT

    def wait(state: RetryCallState) -> float:
        error = _error(state)
        return error.retry_after.total_seconds() if isinstance(error, RateLimitExceeded) else doubled(state)

    return Retrying(retry=again, stop=stop_after_attempt(TRIES), wait=wait, sleep=sleep, reraise=True)


def _error(state: RetryCallState) -> BaseException | None:
    return state.outcome.exception() if state.outcome else None
