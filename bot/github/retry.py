"""When a request is sent again at once, without the caller's knowing."""

from __future__ import annotations

from datetime import timedelta

import httpx
from githubkit.exception import GitHubException, RateLimitExceeded, RequestError, RequestFailed
from githubkit.typing import RetryOption

IDEMPOTENT = frozenset(["GET", "HEAD", "PUT", "PATCH", "DELETE"])
"""Methods that may be sent twice. PATCH, since all of ours set whole values. Never POST: one comment against a 502
must go out once."""

SHORT = 5.0
"""Seconds up to which a rate limit is waited out in place; above it the caller's queue waits."""


class Retry:
    """githubkit's decision on a failure: twice more for idempotent methods, once more for a short rate limit.

    delay: seconds before the first repetition, doubled for the second.
    """

    def __init__(self, delay: float) -> None:
        self._delay = max(delay, 0.001)  # githubkit takes a zero for "not said" and sleeps a minute

    def __call__(self, error: GitHubException, attempt: int) -> RetryOption:
        if isinstance(error, RateLimitExceeded):
            wait = error.retry_after.total_seconds()
            return RetryOption(attempt < 1 and wait <= SHORT, timedelta(seconds=max(wait, 0.001)))
        failed = isinstance(error, RequestFailed) and error.response.status_code >= 500
        broken = isinstance(error, RequestError) and isinstance(error.exc, httpx.TransportError)
        again = attempt < 2 and (failed or broken) and method_of(error) in IDEMPOTENT
        return RetryOption(again, timedelta(seconds=self._delay * 2**attempt))


def method_of(error: GitHubException) -> str:
    """The method of the failed request, empty where it never became one."""
    request = getattr(error, "request", None)
    if request is None and isinstance(error, RequestError):
        try:
            request = error.exc.request
        except (AttributeError, RuntimeError):  # httpx: "The .request property has not been set"
            return ""
    return str(request.method) if request is not None else ""
