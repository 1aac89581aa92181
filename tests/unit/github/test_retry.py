"""Which requests to GitHub are repeated, how often, and after how long. No test sleeps."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import httpx
import pytest
from githubkit.exception import (
    GitHubException,
    RateLimitExceeded,
    RequestError,
    RequestFailed,
    RequestTimeout,
)
from githubkit.response import Response

from bot.github.retry import IDEMPOTENT, SHORT, retrying


def failed(status: int) -> RequestFailed:
    return RequestFailed(_answer(status))


def limited(seconds: float) -> RateLimitExceeded:
    return RateLimitExceeded(_answer(403), timedelta(seconds=seconds))


def unreachable() -> RequestError[Any]:
    return RequestError(httpx.ConnectError("refused"))


def silent() -> RequestTimeout:
    return RequestTimeout(httpx.ReadTimeout("silence", request=_request()))


def _answer(status: int) -> Response[Any]:
    return Response(httpx.Response(status, request=_request()), Any)


def _request() -> httpx.Request:
    return httpx.Request("GET", "https://api.example.com/")


class Server:
    """Fails with the given errors, one a request, then answers."""

    def __init__(self, *errors: Exception) -> None:
        self._errors = list(errors)
        self.asked = 0
        self.slept: list[float] = []

    def send(self, method: str) -> str:
        return retrying(method, 0.5, sleep=self.slept.append)(self._answer, method)

    def _answer(self, _method: str) -> str:
        self.asked += 1
        if self._errors:
            raise self._errors.pop(0)
        return "answer"


@pytest.mark.parametrize("method", sorted(IDEMPOTENT))
@pytest.mark.parametrize("error", [failed(500), failed(502), unreachable(), silent()])
def test_an_idempotent_request_is_repeated_twice(method: str, error: GitHubException) -> None:
    server = Server(error, error)
    assert server.send(method) == "answer"
    assert (server.asked, server.slept) == (3, [0.5, 1.0])


def test_the_last_error_is_raised_as_it_was() -> None:
    errors = [failed(500), failed(502), failed(503), failed(504)]
    server = Server(*errors)
    with pytest.raises(RequestFailed) as caught:
        server.send("GET")
    assert caught.value is errors[2]
    assert (server.asked, server.slept) == (3, [0.5, 1.0])


@pytest.mark.parametrize("error", [failed(500), failed(502), unreachable(), silent()])
def test_a_post_goes_out_once(error: GitHubException) -> None:
    server = Server(error)
    with pytest.raises(type(error)):
        server.send("POST")
    assert (server.asked, server.slept) == (1, [])


@pytest.mark.parametrize(
    "error", [failed(404), failed(422), RequestError(ValueError("ours")), ValueError("date")]
)
def test_what_would_fail_again_is_not_repeated(error: Exception) -> None:
    server = Server(error)
    with pytest.raises(type(error)) as caught:
        server.send("GET")
    assert caught.value is error
    assert (server.asked, server.slept) == (1, [])


@pytest.mark.parametrize("method", ["GET", "POST"])
@pytest.mark.parametrize("seconds", [0.0, 2.0, SHORT])
def test_a_short_limit_is_waited_out_once(method: str, seconds: float) -> None:
    server = Server(limited(seconds))
    assert server.send(method) == "answer"
    assert server.slept == [seconds]
    server = Server(limited(seconds), limited(seconds))
    with pytest.raises(RateLimitExceeded):
        server.send(method)
    assert (server.asked, server.slept) == (2, [seconds])


def test_a_longer_limit_is_left_to_the_callers_queue() -> None:
    server = Server(limited(SHORT + 1))
    with pytest.raises(RateLimitExceeded):
        server.send("GET")
    assert (server.asked, server.slept) == (1, [])


def test_limits_and_failures_count_together() -> None:
    server = Server(limited(2.0), failed(500))
    assert server.send("GET") == "answer"
    assert server.slept == [2.0, 1.0]
    server = Server(failed(500), limited(2.0))
    with pytest.raises(RateLimitExceeded):
        server.send("GET")
    assert server.slept == [0.5]
