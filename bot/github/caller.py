"""Send one request to GitHub: retries, rate limits and errors, before the response is read."""

from __future__ import annotations

import threading
import time
from dataclasses import dataclass
from typing import Any

import githubkit
import httpx
from githubkit.cache import MemCacheStrategy
from githubkit.config import Config, get_config
from githubkit.exception import GitHubException

from bot.domain.ports.forge import ForgeError
from bot.github.failure import MIN_PAUSE, RateLimited, failure
from bot.github.retry import retrying
from bot.github.transport import KeepAlive


@dataclass(frozen=True)
class Call:
    """One request. url: below the API's own, or a whole one. follow: whether redirects are followed."""

    method: str
    url: str
    json: Any = None
    params: dict[str, str] | None = None
    headers: dict[str, str] | None = None
    follow: bool = True

    @property
    def what(self) -> str:
        """Method and path, for an error's text."""
        return f"{self.method} {httpx.URL(self.url).path}"


class Caller:
    """Sends requests and remembers which tokens are rate-limited. Safe to use from many threads.

    api_url: such as https://api.github.com or https://ghes.example.com/api/v3. timeout, retry_delay: seconds.
    """

    def __init__(self, api_url: str, *, timeout: float, retry_delay: float) -> None:
        self._transport = KeepAlive(timeout)
        self.config: Config = get_config(
            base_url=api_url,
            user_agent="towpath",
            timeout=timeout,
            transport=self._transport,
            http_cache=False,
            cache_strategy=MemCacheStrategy(),  # githubkit's default is shared by the whole process
            auto_retry=False,  # see `retrying`
        )
        self._retry_delay = retry_delay
        self._lock = threading.Lock()
        self._blocked: dict[str, float] = {}
        self._streak: dict[str, int] = {}

    def call(self, github: githubkit.GitHub[Any], subject: str, call: Call) -> httpx.Response:
        """Return the answer to one request, 2xx only. `subject` names whose limits count. Raises ForgeError."""
        self.refuse_while_limited(subject, call.what)
        send = retrying(call.method, self._retry_delay)
        try:
            answer = send(
                github.request,
                call.method,
                call.url,
                json=call.json,
                params=call.params,
                headers=call.headers,
            )
        except GitHubException as error:
            problem = failure(error, call.what, now=time.time(), streak=self._streak.get(subject, 0))
            if isinstance(problem, RateLimited):
                self.block(subject, problem.retry_after or MIN_PAUSE)
            raise problem from error
        except ValueError as error:  # githubkit reads `retry-after` as a whole number only
            self.block(subject, MIN_PAUSE)
            raise RateLimited(f"GitHub limits {call.what}.", status=429, retry_after=MIN_PAUSE) from error
        with self._lock:
            self._streak.pop(subject, None)
        return answer.raw_response

    def block(self, subject: str, seconds: float) -> None:
        """Refuse requests for `subject` for `seconds`. GitHub may ban clients that keep sending while limited."""
        with self._lock:
            self._blocked[subject] = time.monotonic() + seconds
            self._streak[subject] = self._streak.get(subject, 0) + 1

    def refuse_while_limited(self, subject: str, what: str) -> None:
        """Raise ForgeError while requests for `subject` are refused."""
        with self._lock:
            left = self._blocked.get(subject, 0.0) - time.monotonic()
            if left <= 0:
                self._blocked.pop(subject, None)
                return
        raise ForgeError(
            f"GitHub is rate-limiting the bot: {what} has to wait {left:.0f} s.", status=429, retry_after=left
        )

    def close(self) -> None:
        self._transport.disconnect()
