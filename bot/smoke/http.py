"""Check that a URL answers with the expected status and text."""

from __future__ import annotations

import time

import httpx

from bot.domain.ports.smoke import Smoke
from bot.smoke.attempt import CheckFailed

MAX_BODY = 1 << 20
"""Bytes of a body that are searched."""
MAX_REDIRECTS = 5
_HEADERS = {"accept-encoding": "identity", "user-agent": "towpath"}
"""No compression: a small compressed body could expand beyond any limit."""


def check(smoke: Smoke, timeout: float) -> str:
    """GET the URL once; return what was seen. Raises CheckFailed.

    A redirect is followed within its scheme, unless the check expects the redirect's own status.
    """
    deadline = time.monotonic() + timeout
    try:
        url = httpx.URL(smoke.subject)
        if url.scheme not in ("http", "https") or not url.host:
            raise CheckFailed(f"{smoke.subject} is not an http:// or https:// URL")
        with httpx.Client(timeout=timeout, follow_redirects=False, headers=_HEADERS) as client:
            return _get(client, smoke, url, deadline)
    except httpx.HTTPError as error:
        raise CheckFailed(f"GET {smoke.subject}: {_reason(error, timeout)}") from None
    except (httpx.InvalidURL, UnicodeError, ValueError):
        raise CheckFailed(f"{smoke.subject} is not an http:// or https:// URL") from None


def _get(client: httpx.Client, smoke: Smoke, url: httpx.URL, deadline: float) -> str:
    for _redirect in range(MAX_REDIRECTS + 1):
        with client.stream("GET", url) as response:
            if response.has_redirect_location and response.status_code not in smoke.statuses:
                url = _redirect_target(smoke, url, response)
                continue
            _check_response(smoke, url, response, deadline)
            return f"GET {url} returned {response.status_code}"
    raise CheckFailed(f"GET {smoke.subject} was redirected more than {MAX_REDIRECTS} times")


def _redirect_target(smoke: Smoke, url: httpx.URL, response: httpx.Response) -> httpx.URL:
    """Return where a redirect leads. Another scheme fails: a check of https must not pass because of plain http."""
    target = url.join(response.headers["location"])
    if target.scheme != url.scheme:
        raise CheckFailed(
            f"GET {smoke.subject} redirects to {target}, which has another scheme: use that URL in the check"
        )
    return target


def _check_response(smoke: Smoke, url: httpx.URL, response: httpx.Response, deadline: float) -> None:
    if response.status_code not in smoke.statuses:
        expected = " or ".join(map(str, smoke.statuses))
        raise CheckFailed(f"GET {url} returned {response.status_code}, expected {expected}")
    if smoke.contains and not _contains(response, smoke.contains.encode(), deadline):
        raise CheckFailed(f'GET {url} returned {response.status_code} without "{smoke.contains}" in its body')


def _contains(response: httpx.Response, text: bytes, deadline: float) -> bool:
    """Whether the text is in the first megabyte of the body; the rest is not read."""
    body = bytearray()
    for chunk in response.iter_raw(1 << 16):
        body += chunk
        if text in body[:MAX_BODY]:
            return True
        if len(body) >= MAX_BODY:
            return False
        if time.monotonic() > deadline:
            raise httpx.ReadTimeout("")
    return False


def _reason(error: httpx.HTTPError, timeout: float) -> str:
    """Return a readable reason; the library's own texts are written for programmers."""
    text = str(error)
    if isinstance(error, httpx.TimeoutException):
        return f"no answer within {timeout:.3g} s"
    if "CERTIFICATE_VERIFY_FAILED" in text:
        why = text.rpartition("certificate verify failed: ")[2].partition(" (_ssl")[0]
        return f"its certificate is not trusted ({why})"
    if "refused" in text.lower():
        return "connection refused"
    if isinstance(error, httpx.ConnectError) and ("Name or service" in text or "name resolution" in text):
        return "no such host"
    return text or type(error).__name__
