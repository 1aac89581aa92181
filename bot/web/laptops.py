"""`/state/login`: POST gives a person a credential for one target's state, DELETE takes it back."""

from __future__ import annotations

import base64
import binascii
import json
import threading
from collections.abc import Callable
from typing import Any

import structlog
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from bot.domain.answers import Refused
from bot.domain.pacing import Bucket, Crowded, Pace
from bot.domain.ports.forge import ForgeError
from bot.errors import TransientError
from bot.services.context import Context
from bot.services.signing_in import Wish, sign_in, sign_out
from bot.web.app import TooLarge, read_body

log = structlog.get_logger()

LARGEST = 4096
"""Bytes of a request: four names."""
EACH = Pace(burst=10, per_second=1 / 6)
ALL = Pace(burst=60, per_second=1.0)
"""Tries of one address, and of all together: people sign in once a day, and each try asks GitHub."""
FRESH = 5.0
"""Seconds for which the policy that was read last is good enough for a laptop's lock: Terraform asks again and again where
it may wait (`-lock-timeout`)."""
ADDRESSES = 10_000
"""Addresses that are remembered."""


class _Tries:
    """Lets tries through at a pace, each address for itself and all together."""

    def __init__(self) -> None:
        self._guard = threading.Lock()
        self._all = Bucket(ALL)
        self._each: dict[str, Bucket] = {}

    def take(self, address: str) -> None:
        """Raises Crowded."""
        with self._guard:
            if address not in self._each and len(self._each) >= ADDRESSES:
                self._each.pop(next(iter(self._each)))
            bucket = self._each.setdefault(address, Bucket(EACH))
        bucket.take(within=0)
        self._all.take(within=0)


def routes(context: Callable[[], Context]) -> list[Route]:
    """`context` is asked for when first needed: a process that serves HTTP alone has no worker's parts until then."""
    tries = _Tries()

    def admit(request: Request) -> Response | None:
        try:
            tries.take(request.client.host if request.client else "")
        except Crowded as crowded:
            seconds = str(max(1, round(crowded.retry_after)))
            return _no("Too many tries.", "Try again later.", 429, {"Retry-After": seconds})
        return None

    async def login(request: Request) -> Response:
        if no := admit(request):
            return no
        scheme, _, token = request.headers.get("authorization", "").partition(" ")
        if scheme.lower() != "bearer" or not token.strip():
            return _no("There is no GitHub token in the request.", "Use `towpath state login`.", 401)
        try:
            wish = _wish(json.loads(await read_body(request, LARGEST)))
        except (TooLarge, ValueError):
            return _no("The request is not understood.", "Use `towpath state login`.", 400)
        return await run_in_threadpool(_login, context, token.strip(), wish)

    async def logout(request: Request) -> Response:
        if no := admit(request):
            return no
        scheme, _, encoded = request.headers.get("authorization", "").partition(" ")
        try:
            username, _, password = base64.b64decode(encoded.strip(), validate=True).decode().partition(":")
        except (binascii.Error, UnicodeDecodeError):
            scheme = ""
        known = scheme.lower() == "basic" and await run_in_threadpool(sign_out, context(), username, password)
        return Response(status_code=204 if known else 401)

    return [
        Route("/state/login", login, methods=["POST"]),
        Route("/state/login", logout, methods=["DELETE"]),
    ]


def _login(context: Callable[[], Context], token: str, wish: Wish) -> Response:
    try:
        found = sign_in(context(), token, wish)
    except (ForgeError, TransientError) as error:
        log.warning("somebody could not sign in", error=type(error).__name__)
        return _no("GitHub or the database does not answer.", "Try again later.", 503, {"Retry-After": "5"})
    if isinstance(found, Refused):
        return _no(found.fact, found.next_step, 401 if found.code == "stranger" else 403)
    body = {
        "target": found.target.key,
        "login": found.login,
        "username": found.username,
        "password": found.password,
        "expires_at": found.expires_at.isoformat(),
        "config": found.config,
        "note": found.note,
    }
    return JSONResponse(body, headers={"Cache-Control": "no-store"})


def _wish(body: Any) -> Wish:
    """Raises ValueError for what is none."""
    names = ("repository", "environment", "stack", "pull")
    if not isinstance(body, dict) or not {"repository", "environment"} <= body.keys() <= set(names):
        raise ValueError("not a wish")
    pull = body.get("pull", 0)
    texts = [body.get(name, "") for name in names[:3]]
    if not all(isinstance(text, str) and len(text) <= 200 for text in texts):
        raise ValueError("not a wish")
    owner, slash, name = texts[0].partition("/")
    plain = owner.replace("-", "").isalnum() and name and all(c.isalnum() or c in "-_." for c in name)
    if not slash or not plain or not texts[0].isascii() or name in (".", ".."):
        raise ValueError("not a repository")
    if not isinstance(pull, int) or isinstance(pull, bool) or not 0 <= pull < 2**31:
        raise ValueError("not a pull request")
    return Wish(texts[0], texts[1], texts[2], pull)


def _no(what: str, next_step: str, status: int, headers: dict[str, str] | None = None) -> Response:
    return JSONResponse({"error": what, "next_step": next_step}, status, headers)
