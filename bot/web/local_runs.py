"""`/state/login`: POST issues a person a credential for one target's state, DELETE revokes it. `/state/place`: POST tells
where that state is, and which version is there."""

from __future__ import annotations

import base64
import binascii
import json
import threading
from collections.abc import Callable
from dataclasses import asdict
from typing import Any

import structlog
from cachetools import LRUCache
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from bot.domain.ports.forge import ForgeError
from bot.domain.refusal import Refusal
from bot.errors import TransientError, UserError
from bot.github.rate_limit import Bucket, Crowded, Pace
from bot.services.access import SignIn, look_up_state, sign_in, sign_out
from bot.services.context import Context
from bot.web.addresses import counted_as
from bot.web.app import TooLarge, read_body

log = structlog.get_logger()

_HELP = "Run `towpath state login --help`."

MAX_BODY = 4096
"""Bytes of a request, which holds four names."""
EACH = Pace(burst=10, per_second=1 / 6)
ALL = Pace(burst=60, per_second=1.0)
"""Attempts from one address, and from all together: people sign in once a day, and every attempt calls GitHub."""
POLICY_MAX_AGE = 5.0
"""Seconds for which a policy that was read before is reused to check a local run's lock: with `-lock-timeout`, Terraform
retries every few seconds."""
ADDRESSES = 10_000
"""Addresses that are remembered: those that tried last."""


class _AttemptLimit:
    """Limits sign-in attempts, for each address and for all together."""

    def __init__(self) -> None:
        self._guard = threading.Lock()
        self._all = Bucket(ALL)
        self._each: LRUCache[str, Bucket] = LRUCache(ADDRESSES)

    def take(self, address: str) -> None:
        """Raises Crowded."""
        with self._guard:
            bucket = self._each.setdefault(address, Bucket(EACH))
        bucket.take(within=0)
        self._all.take(within=0)


def routes(context: Callable[[], Context]) -> list[Route]:
    """Return the routes. context: called when first needed, since a web process starts without the worker's parts."""
    attempts = _AttemptLimit()

    def admit(request: Request) -> Response | None:
        try:
            attempts.take(counted_as(request.client.host) if request.client else "")
        except Crowded as crowded:
            seconds = str(max(1, round(crowded.retry_after)))
            next_step = f"Try again in {seconds} s."
            return _refusal("Too many sign-in attempts.", next_step, 429, {"Retry-After": seconds})
        return None

    async def answer(request: Request, of: Callable[[Context, str, SignIn], dict[str, Any]]) -> Response:
        if refusal := admit(request):
            return refusal
        scheme, _, token = request.headers.get("authorization", "").partition(" ")
        if scheme.lower() != "bearer" or not token.strip():
            return _refusal("The request has no GitHub token.", _HELP, 401)
        try:
            requested = _parse_sign_in(json.loads(await read_body(request, MAX_BODY)))
        except (TooLarge, ValueError):
            return _refusal("The request is malformed.", _HELP, 400)
        return await run_in_threadpool(_answer, lambda: of(context(), token.strip(), requested))

    async def login(request: Request) -> Response:
        return await answer(request, _login)

    async def place(request: Request) -> Response:
        return await answer(request, _place)

    async def logout(request: Request) -> Response:
        if refusal := admit(request):
            return refusal
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
        Route("/state/place", place, methods=["POST"]),
    ]


def _answer(ask: Callable[[], dict[str, Any]]) -> Response:
    try:
        body = ask()
    except Refusal as refusal:
        return _refusal(refusal.what, refusal.next_step, 401 if refusal.code == "stranger" else 403)
    except UserError as error:
        return _refusal(error.what, error.next_step, 409)
    except (ForgeError, TransientError) as error:
        log.warning("sign-in failed", error=type(error).__name__)
        return _refusal(
            "GitHub, the database or the bucket is not responding.",
            "Try again in a minute.",
            503,
            {"Retry-After": "5"},
        )
    return JSONResponse(body, headers={"Cache-Control": "no-store"})


def _login(context: Context, token: str, requested: SignIn) -> dict[str, Any]:
    issued = sign_in(context, token, requested)
    return {
        "target": issued.target.key,
        "login": issued.login,
        "username": issued.username,
        "password": issued.password,
        "expires_at": issued.expires_at.isoformat(),
        "config": issued.config,
        "note": issued.note,
    }


def _place(context: Context, token: str, requested: SignIn) -> dict[str, Any]:
    found = look_up_state(context, token, requested)
    info = found.info
    state = {"serial": info.serial, "lineage": info.lineage, "resources": info.resources} if info else None
    return {"target": found.target.key, "place": asdict(found.place), "state": state}


def _parse_sign_in(body: Any) -> SignIn:
    """Parse the JSON body of a sign-in. Raises ValueError."""
    names = ("repository", "environment", "stack", "pull")
    if not isinstance(body, dict) or not {"repository", "environment"} <= body.keys() <= set(names):
        raise ValueError("not a sign-in request")
    pull = body.get("pull", 0)
    texts = [body.get(name, "") for name in names[:3]]
    if not all(isinstance(text, str) and len(text) <= 200 for text in texts):
        raise ValueError("not a sign-in request")
    owner, slash, name = texts[0].partition("/")
    plain = owner.replace("-", "").isalnum() and name and all(c.isalnum() or c in "-_." for c in name)
    if not slash or not plain or not texts[0].isascii() or name in (".", ".."):
        raise ValueError("not a repository")
    if not isinstance(pull, int) or isinstance(pull, bool) or not 0 <= pull < 2**31:
        raise ValueError("not a pull request")
    return SignIn(texts[0], texts[1], texts[2], pull)


def _refusal(error: str, next_step: str, status: int, headers: dict[str, str] | None = None) -> Response:
    return JSONResponse({"error": error, "next_step": next_step}, status, headers)
