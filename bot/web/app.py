"""The HTTP entry: webhooks, Slack, the state backend, health, and the console's pages."""

from __future__ import annotations

import hmac
from collections.abc import Callable, Sequence

import prometheus_client
from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.routing import BaseRoute, Route

from bot.intake.github import LARGEST, GitHubDoor
from bot.slack.app import MAX_BODY, SlackApp
from bot.web.metrics import DELIVERIES


class TooLarge(Exception):
    """A body beyond its limit; it is not read any further."""


async def read_body(request: Request, limit: int) -> bytes:
    """The body, read no further than its limit. Raises TooLarge."""
    if int(request.headers.get("content-length") or 0) > limit:
        raise TooLarge
    body = bytearray()
    async for chunk in request.stream():
        body += chunk
        if len(body) > limit:
            raise TooLarge
    return bytes(body)


def build(
    *,
    github: GitHubDoor,
    slack: SlackApp | None,
    ready: Callable[[], dict[str, str]],
    metrics_token: str,
    routes: Sequence[BaseRoute] = (),
) -> Starlette:
    """The ASGI application. `ready` names what is not ready (empty: all well)."""

    async def github_webhook(request: Request) -> Response:
        try:
            body = await read_body(request, LARGEST)
        except (TooLarge, ValueError):
            return PlainTextResponse("larger than GitHub sends\n", 413)
        status, text = await run_in_threadpool(github.take, request.headers, body)
        DELIVERIES.labels("github", str(status)).inc()
        return PlainTextResponse(text + "\n", status)

    async def slack_events(request: Request) -> Response:
        if slack is None:
            return PlainTextResponse("Slack is off here\n", 404)
        try:
            body = await read_body(request, MAX_BODY)
        except (TooLarge, ValueError):
            return PlainTextResponse("larger than Slack sends\n", 413)
        status, headers, content = await run_in_threadpool(slack.handle, body, dict(request.headers))
        DELIVERIES.labels("slack", str(status)).inc()
        return Response(content, status, headers)

    async def healthz(_request: Request) -> Response:
        return PlainTextResponse("alive\n")

    def readyz(_request: Request) -> Response:
        problems = ready()
        return JSONResponse({"ready": not problems, "problems": problems}, 503 if problems else 200)

    async def metrics(request: Request) -> Response:
        given = request.headers.get("authorization", "").removeprefix("Bearer ")
        local = request.client is not None and request.client.host in ("127.0.0.1", "::1")
        allowed = hmac.compare_digest(given.encode(), metrics_token.encode()) if metrics_token else local
        if not allowed:
            return PlainTextResponse("metrics are for those with TOWPATH_METRICS_TOKEN\n", 401)
        return Response(prometheus_client.generate_latest(), media_type=prometheus_client.CONTENT_TYPE_LATEST)

    return Starlette(
        routes=[
            Route("/github/webhook", github_webhook, methods=["POST"]),
            Route("/slack/events", slack_events, methods=["POST"]),
            Route("/healthz", healthz),
            Route("/readyz", readyz),
            Route("/metrics", metrics),
            *routes,
        ]
    )
