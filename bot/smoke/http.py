"""An address that answers as it should."""

from __future__ import annotations

import time

import httpx

from bot.domain.ports.smoke import Smoke
from bot.smoke.trying import NotWell

LARGEST = 1 << 20
"""Bytes of a body that are looked through."""
HOPS = 5
"""Redirects that are followed."""
_HEADERS = {"accept-encoding": "identity", "user-agent": "towpath"}
"""A body as it is: one that was packed could grow beyond any limit when it is opened."""


def ask(smoke: Smoke, timeout: float) -> str:
    """GET the address once. A redirect is followed within its scheme, unless its own status is wanted. Raises NotWell."""
    until = time.monotonic() + timeout
    try:
        address = httpx.URL(smoke.subject)
        if address.scheme not in ("http", "https") or not address.host:
            raise NotWell(f"{smoke.subject} is no address that begins with https:// or http://")
        with httpx.Client(timeout=timeout, follow_redirects=False, headers=_HEADERS) as client:
            return _follow(client, smoke, address, until)
    except httpx.HTTPError as error:
        raise NotWell(f"GET {smoke.subject}: {_reason(error, timeout)}") from None
    except (httpx.InvalidURL, UnicodeError, ValueError):
        raise NotWell(f"{smoke.subject} is no address that begins with https:// or http://") from None


def _follow(client: httpx.Client, smoke: Smoke, address: httpx.URL, until: float) -> str:
    for _hop in range(HOPS + 1):
        with client.stream("GET", address) as answer:
            if answer.has_redirect_location and answer.status_code not in smoke.statuses:
                address = _next(smoke, address, answer)
                continue
            _look(smoke, address, answer, until)
            return f"GET {address} answered {answer.status_code}"
    raise NotWell(f"GET {smoke.subject} was redirected more than {HOPS} times")


def _next(smoke: Smoke, address: httpx.URL, answer: httpx.Response) -> httpx.URL:
    """Where a redirect leads. A check of https must not be well because something unencrypted is."""
    following = address.join(answer.headers["location"])
    if following.scheme != address.scheme:
        raise NotWell(
            f"GET {smoke.subject} is redirected to {following}, another scheme: name that address in the check"
        )
    return following


def _look(smoke: Smoke, address: httpx.URL, answer: httpx.Response, until: float) -> None:
    if answer.status_code not in smoke.statuses:
        wanted = " or ".join(map(str, smoke.statuses))
        raise NotWell(f"GET {address} answered {answer.status_code}, wanted {wanted}")
    if smoke.contains and not _contains(answer, smoke.contains.encode(), until):
        raise NotWell(f'GET {address} answered {answer.status_code} without "{smoke.contains}"')


def _contains(answer: httpx.Response, text: bytes, until: float) -> bool:
    """Whether the text is in the first megabyte of the body; what comes after it is not read."""
    body = bytearray()
    for chunk in answer.iter_raw(1 << 16):
        body += chunk
        if text in body[:LARGEST]:
            return True
        if len(body) >= LARGEST:
            return False
        if time.monotonic() > until:
            raise httpx.ReadTimeout("")
    return False


def _reason(error: httpx.HTTPError, timeout: float) -> str:
    """For people: what the library says of it is for programmers."""
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
