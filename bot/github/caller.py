"""One request to GitHub by one token: retries, limits and errors, before anybody looks at the answer."""

from __future__ import annotations

import threading
import time
from typing import Any

import githubkit
import httpx
from githubkit.cache import MemCacheStrategy
from githubkit.config import Config, get_config
from githubkit.exception import GitHubException

from bot.domain.ports.forge import ForgeError
from bot.github.failure import LEAST, RateLimited, failure
from bot.github.retry import Retry
from bot.github.transport import KeepAlive


class Caller:
    """Sends requests and remembers which token GitHub told to wait.

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
            cache_strategy=MemCacheStrategy(),  # githubkit's default one is shared by the whole process
            auto_retry=Retry(retry_delay),
        )
        self._lock = threading.Lock()
        self._blocked: dict[str, float] = {}
        self._streak: dict[str, int] = {}

    def call(
        self,
        github: githubkit.GitHub[Any],
        subject: str,
        method: str,
        url: str,
        *,
        json: Any = None,
        params: dict[str, str] | None = None,
        headers: dict[str, str] | None = None,
    ) -> httpx.Response:
        """The answer to one request, 2xx only. `subject` names whose limits count. Raises ForgeError."""
        what = f"{method} {httpx.URL(url).path}"
        self._refuse_while_limited(subject, what)
        try:
            answer = github.request(method, url, json=json, params=params, headers=headers)
        except GitHubException as error:
            problem = failure(error, what, now=time.time(), streak=self._streak.get(subject, 0))
            if isinstance(problem, RateLimited):
                self.block(subject, problem.retry_after or LEAST)
            raise problem from error
        except ValueError as error:  # githubkit reads `retry-after` as a whole number only
            self.block(subject, LEAST)
            raise RateLimited(f"GitHub limits {what}.", status=429, retry_after=LEAST) from error
        with self._lock:
            self._streak.pop(subject, None)
        return answer.raw_response

    def block(self, subject: str, seconds: float) -> None:
        """Send nothing for `subject` before `seconds` have passed: who goes on while limited may be banned."""
        with self._lock:
            self._blocked[subject] = time.monotonic() + seconds
            self._streak[subject] = self._streak.get(subject, 0) + 1

    def _refuse_while_limited(self, subject: str, what: str) -> None:
        with self._lock:
            left = self._blocked.get(subject, 0.0) - time.monotonic()
            if left <= 0:
                self._blocked.pop(subject, None)
                return
        raise ForgeError(f"GitHub asked to wait {left:.0f} s before {what}.", status=429, retry_after=left)

    def close(self) -> None:
        self._transport.disconnect()
