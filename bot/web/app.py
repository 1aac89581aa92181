"""The ASGI application: webhooks, Slack, health, metrics, and the routes of the other modules."""

from __future__ import annotations

import hmac
from collections.abc import Callable, Sequence

import prometheus_client
from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.middleware import Middleware
from starlette.requests import ClientDisconnect, Request
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.routing import BaseRoute, Route

from bot.intake.github import MAX_PAYLOAD, GitHubIntake
from bot.slack.app import MAX_BODY, SlackApp
from bot.web.metrics import DELIVERIES
from bot.web.unsigned import UnsignedBodies


class TooLarge(Exception):
    """The request body is larger than its limit."""


FORWARDED = ("forwarded", "x-forwarded-for", "x-real-ip", "via")
"""Headers that show that a request came through a proxy."""


def check_length(request: Request, limit: int) -> None:
    """Check the length that the request claims. Raises TooLarge, and ValueError if it is no number."""
    if int(request.headers.get("content-length") or 0) > limit:
        raise TooLarge


async def read_body(request: Request, limit: int) -> bytes:
    """Read the body. limit: bytes; the rest is not read.

    Raises TooLarge, and ValueError for a Content-Length that is no number.
    """
    check_length(request, limit)
    body = bytearray()
    async for chunk in request.stream():
        body += chunk
        if len(body) > limit:
            raise TooLarge
    return bytes(body)


def build(
    *,
    github: GitHubIntake,
    slack: SlackApp | None,
    ready: Callable[[], dict[str, str]],
    metrics_token: str,
    measure: Callable[[], None] = lambda: None,
    routes: Sequence[BaseRoute] = (),
) -> Starlette:
    """Return the ASGI application.

    ready: returns what is not ready and why, by part; empty if all is well. metrics_token: the bearer token for
    /metrics; empty for loopback only. measure: called before the metrics are returned. routes: of the state backend and the console.
    """

    def answered(platform: str, status: int, text: str) -> Response:
        DELIVERIES.labels(platform, str(status)).inc()
        return PlainTextResponse(text + "\n", status)

    async def github_webhook(request: Request) -> Response:
        try:
            check_length(request, MAX_PAYLOAD)
            if refusal := github.refuse(request.headers):
                return answered("github", *refusal)
            body = await read_body(request, MAX_PAYLOAD)
        except (TooLarge, ValueError):
            return PlainTextResponse("payload too large\n", 413)
        status, text = await run_in_threadpool(github.receive, request.headers, body)
        return answered("github", status, text)

    async def slack_events(request: Request) -> Response:
        if slack is None:
            return PlainTextResponse("Slack is not configured\n", 404)
        try:
            body = await read_body(request, MAX_BODY)
        except (TooLarge, ValueError):
            return PlainTextResponse("payload too large\n", 413)
        status, headers, content = await run_in_threadpool(slack.handle, body, dict(request.headers))
        DELIVERIES.labels("slack", str(status)).inc()
        return Response(content, status, headers)

    async def disconnected(_request: Request, _error: Exception) -> Response:
        return Response(status_code=400)  # to nobody

    async def healthz(_request: Request) -> Response:
        return PlainTextResponse("alive\n")

    def readyz(_request: Request) -> Response:
        problems = ready()
        return JSONResponse({"ready": not problems, "problems": problems}, 503 if problems else 200)

    async def metrics(request: Request) -> Response:
        token = request.headers.get("authorization", "").removeprefix("Bearer ")
        local = request.client is not None and request.client.host in ("127.0.0.1", "::1")
        local = local and not any(name in request.headers for name in FORWARDED)
        allowed = hmac.compare_digest(token.encode(), metrics_token.encode()) if metrics_token else local
        if not allowed:
            return PlainTextResponse("metrics need the bearer token TOWPATH_METRICS_TOKEN\n", 401)
        await run_in_threadpool(measure)
        return Response(prometheus_client.generate_latest(), media_type=prometheus_client.CONTENT_TYPE_LATEST)

    return Starlette(
        routes=[
            Route("/github/webhook", github_webhook, methods=["POST"]),
            Route("/slack/events", slack_events, methods=["POST"]),
            Route("/healthz", healthz),
            Route("/readyz", readyz),
            Route("/metrics", metrics),
            *routes,
        ],
        middleware=[Middleware(UnsignedBodies)],
        exception_handlers={ClientDisconnect: disconnected},
    )
