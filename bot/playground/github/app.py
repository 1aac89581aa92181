"""The stand-in as a web application: the API at / and at /api/v3, GraphQL, and git."""

from __future__ import annotations

import asyncio
import json
import time
from collections import deque
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any
from urllib.parse import unquote

from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route
from starlette.types import Message, Receive, Scope, Send

from bot.playground.github import (
    checks,
    comments,
    contents,
    deployments,
    git_http,
    hooks,
    people,
    pulls,
    repos,
    statuses,
    teams,
)
from bot.playground.github.access import Actor, authenticate
from bot.playground.github.call import Call, Handler, Reply, Routes
from bot.playground.github.faults import SECONDARY, Fault, Faults
from bot.playground.github.graphql import graphql
from bot.playground.github.state import Refusal, State
from bot.playground.github.webhooks import Webhooks

DOCS = "https://docs.github.com/rest"


@dataclass(frozen=True)
class Exchange:
    """One request and its answer, for tests that look at what was said."""

    method: str
    path: str
    query: str
    headers: dict[str, str]
    body: bytes
    status: int
    answer: bytes
    content_type: str


@dataclass
class Desk:
    """What the endpoints share. `exchanges` are the newest 5,000."""

    state: State
    webhooks: Webhooks
    faults: Faults
    exchanges: deque[Exchange]
    closing: bool = False


def create_app(state: State, webhooks: Webhooks, faults: Faults) -> Starlette:
    """The application over `state`; `app.state.desk` is its Desk."""
    desk = Desk(state, webhooks, faults, deque(maxlen=5000))
    api: Routes = [
        *people.ROUTES,
        *teams.ROUTES,
        *comments.ROUTES,
        *checks.ROUTES,
        *statuses.ROUTES,
        *deployments.ROUTES,
        *pulls.ROUTES,
        *repos.ROUTES,
        *contents.ROUTES,
        *hooks.routes(webhooks),
    ]
    routes = [
        Route(prefix + path, _endpoint(desk, handler), methods=[method])
        for prefix in ("", "/api/v3")
        for method, path, handler in sorted(api, key=_specific)
    ]
    routes += [
        Route(path, _endpoint(desk, graphql), methods=["POST"]) for path in ("/graphql", "/api/graphql")
    ]
    git = git_http.endpoint(state)
    routes.append(Route("/{owner}/{repo}.git/{rest:path}", git, methods=["GET", "POST"]))
    app = Starlette(routes=routes, exception_handlers={404: _unknown, 405: _unknown})
    app.state.desk = desk
    app.add_middleware(_Faulty, desk=desk)
    return app


def _specific(route: tuple[str, str, Handler]) -> int:
    """Routes that end in a path of any length come last, the plainest of them at the very end."""
    return -len(route[1].split(":path}")[-1]) if ":path}" in route[1] else -1000


async def _unknown(_request: Request, _error: Exception) -> Response:
    return _json({"message": "Not Found", "documentation_url": DOCS, "status": "404"}, 404)


def _json(data: Any, status: int, headers: dict[str, str] | None = None) -> Response:
    return Response(json.dumps(data), status, headers, media_type="application/json; charset=utf-8")


def _endpoint(desk: Desk, handler: Handler) -> Callable[[Request], Awaitable[Response]]:
    async def endpoint(request: Request) -> Response:
        body = await request.body()
        response = await run_in_threadpool(_answer, desk, handler, request, body)
        path = request.url.path.removeprefix("/api/v3")
        desk.exchanges.append(
            Exchange(
                request.method,
                path,
                request.url.query,
                dict(request.headers),
                body,
                response.status_code,
                bytes(response.body),
                response.headers.get("content-type", ""),
            )
        )
        return response

    return endpoint


def _answer(desk: Desk, handler: Handler, request: Request, body: bytes) -> Response:
    state = desk.state
    rates = {"x-ratelimit-limit": "5000", "x-ratelimit-remaining": "4999", "x-ratelimit-used": "1"}
    rates["x-ratelimit-reset"] = str(int(time.time()) + 3600)
    try:
        with state.lock:
            actor = authenticate(state, request.headers.get("authorization", ""))
            wait = desk.faults.too_many(_name(actor), request.method)
            if wait is not None:
                return _refused(Refusal(403, SECONDARY), {**rates, "retry-after": str(wait)})
            call = Call(
                state,
                actor,
                str(request.url.replace(query="")),
                {key: unquote(value) for key, value in request.path_params.items()},
                request.query_params,
                json.loads(body) if body else {},
                request.headers.get("accept", ""),
            )
            reply = handler(call)
    except Refusal as refusal:
        return _refused(refusal, rates)
    except json.JSONDecodeError:
        return _refused(Refusal(400, "Problems parsing JSON"), rates)
    return _reply(reply, rates)


def _name(actor: Actor) -> str:
    return actor.user.login if actor.user else f"app {actor.app.id}" if actor.app else "nobody"


def _refused(refusal: Refusal, headers: dict[str, str]) -> Response:
    data = {"message": refusal.message, "documentation_url": DOCS, "status": str(refusal.status)}
    if refusal.errors is not None:
        data["errors"] = refusal.errors  # type: ignore[assignment]
    return _json(data, refusal.status, headers)


def _reply(reply: Reply, headers: dict[str, str]) -> Response:
    whole = {**headers, **reply.headers}
    if reply.raw is not None:
        return Response(reply.raw, reply.status, whole, media_type="application/vnd.github.raw+json")
    if reply.status == 204:
        return Response(status_code=204, headers=whole)
    return _json(reply.data, reply.status, whole)


class _Faulty:
    """Lets requests fail as `Faults` says, below everything else."""

    def __init__(self, app: Callable[[Scope, Receive, Send], Awaitable[None]], desk: Desk) -> None:
        self._app = app
        self._desk = desk

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        fault = self._desk.faults.strike(scope["method"], scope["path"])
        if fault is None:
            await self._app(scope, receive, send)
        elif fault.what == "timeout":
            while not self._desk.closing and (await _next(receive)) != "http.disconnect":
                pass
        elif fault.what == "drop_response":
            await self._app(scope, receive, _nowhere)
            await _break(send)
        else:
            await _failed(fault)(scope, receive, send)


async def _next(receive: Receive) -> str:
    """The kind of the next message, or nothing within a moment."""
    try:
        async with asyncio.timeout(0.2):
            return str((await receive())["type"])
    except TimeoutError:
        return ""


async def _nowhere(_message: Message) -> None:
    """Swallows the answer."""


async def _break(send: Send) -> None:
    """Announce more than is sent, so that the server has to close the connection."""
    await send({"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"1000")]})
    await send({"type": "http.response.body", "body": b"{", "more_body": True})


def _failed(fault: Fault) -> Response:
    headers = {"retry-after": str(fault.retry_after)} if fault.retry_after is not None else {}
    data = {"message": fault.message, "documentation_url": DOCS, "status": str(fault.what)}
    return _json(data, int(fault.what), headers)
