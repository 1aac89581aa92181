"""The page's HTTP side: fragments, one stream of changes, and one address for everything that people press."""

from __future__ import annotations

import hmac
import secrets
from collections.abc import Callable
from pathlib import Path
from typing import Any

from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.middleware import Middleware
from starlette.middleware.trustedhost import TrustedHostMiddleware
from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, RedirectResponse, Response, StreamingResponse
from starlette.routing import Mount, Route
from starlette.staticfiles import StaticFiles

from bot.errors import UserError
from bot.playground import sample
from bot.playground.github.state import Refusal
from bot.playground.page import pull_acts, slack_acts
from bot.playground.page.asked import Asked
from bot.playground.page.control import Control
from bot.playground.page.drawing import Drawing
from bot.playground.page.pull_view import commit_files, pull_page, pulls
from bot.playground.page.signals import Signals
from bot.playground.page.slack_view import slack_page
from bot.playground.slack.refusal import NotOffered
from bot.playground.world import ROLES, World

HOSTS = ["127.0.0.1", "localhost"]
"""Names under which the page answers: a foreign name that leads to loopback must not reach it."""
POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src 'self'; "
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)
HEADERS = {
    "content-security-policy": POLICY,
    "referrer-policy": "no-referrer",
    "x-content-type-options": "nosniff",
    "cache-control": "no-store",
}
MAX_BODY = 300_000
"""Bytes of a request: a comment of GitHub's 65,536 characters, escaped as JSON."""


def create_app(world: World, control: Control, signals: Signals) -> Starlette:
    """The page over a started world. Whoever opens it gets a token, and without it nothing can be pressed."""
    token, drawing = secrets.token_urlsafe(24), Drawing(world)
    acts = {**pull_acts.ACTS, **slack_acts.ACTS}
    bar_acts: dict[str, Callable[[Asked], None]] = {
        "bar.kill": lambda _asked: control.kill(),
        "bar.start": lambda _asked: control.start(),
        "bar.slow": lambda asked: control.slow(asked.flag("on")),
    }

    def html(name: str, **values: Any) -> Response:
        return HTMLResponse(drawing.draw(name, **values), headers=HEADERS)

    def index(_request: Request) -> Response:
        titles = {name: pull_acts.title_of(name) for name in sample.CHANGES}
        command = world.slack.command_name
        return html("index.html", token=token, titles=titles, people=list(ROLES), command=command)

    def pull(request: Request) -> Response:
        query = request.query_params
        listed = pulls(world)
        number = int(query["pull"]) if query.get("pull", "").isdecimal() else 0
        if not listed:
            return html("empty.html")
        if number not in [one.number for one in listed]:
            number = next((one.number for one in reversed(listed) if one.state == "open"), listed[0].number)
        return html("pull.html", **pull_page(world, number, query.get("author", ""), query.get("tab", "")))

    def slack(request: Request) -> Response:
        query = request.query_params
        place = query.get("channel") or "infra"
        return html(
            "slack.html", **slack_page(world, query.get("user") or "ann", place, query.get("thread", ""))
        )

    def bar(_request: Request) -> Response:
        return html("bar.html", bar=control.bar())

    def commit(request: Request) -> Response:
        sha = request.path_params["sha"]
        title, files = commit_files(world, sha)
        return html("commit.html", sha=sha, title=title, files=files)

    async def events(_request: Request) -> Response:
        return StreamingResponse(signals.stream(), media_type="text/event-stream", headers=HEADERS)

    async def act(request: Request) -> Response:
        if not hmac.compare_digest(request.headers.get("x-page-token", "").encode(), token.encode()):
            return _no("This page is of an earlier start.", 403, next_step="Reload it.")
        if int(request.headers.get("content-length", MAX_BODY + 1)) > MAX_BODY:
            return _no("That is too long.", 413)
        fields = await request.json()
        return await run_in_threadpool(perform, fields if isinstance(fields, dict) else {})

    def perform(fields: dict[str, Any]) -> Response:
        asked = Asked(fields)
        try:
            name = asked.text("act")
            if name in bar_acts:
                bar_acts[name](asked)
                return JSONResponse({}, headers=HEADERS)
            if name not in acts:
                return _no(f"There is no {name} here.", 404)
            return JSONResponse(acts[name](world, asked) or {}, headers=HEADERS)
        except UserError as error:
            return _no(error.what, 422, next_step=error.next_step)
        except Refusal as refusal:
            return _no(f"GitHub: {_told(refusal)}", 422)
        except NotOffered as error:
            return _no(f"Slack: {error}", 422)

    return Starlette(
        routes=[
            Route("/", index),
            Route("/parts/pull", pull),
            Route("/parts/slack", slack),
            Route("/parts/bar", bar),
            Route("/commit/{sha}", commit),
            Route("/favicon.ico", lambda _request: RedirectResponse("/static/icon.svg")),
            Route("/events", events),
            Route("/act", act, methods=["POST"]),
            Mount("/static", StaticFiles(directory=Path(__file__).with_name("static"))),
        ],
        middleware=[Middleware(TrustedHostMiddleware, allowed_hosts=HOSTS, www_redirect=False)],
        exception_handlers={NotOffered: _gone, Refusal: _gone},
    )


def _gone(_request: Request, error: Exception) -> Response:
    return _no(str(error), 404)


def _no(what: str, status: int, *, next_step: str = "") -> Response:
    return JSONResponse({"error": f"{what} {next_step}".strip()}, status, headers=HEADERS)


def _told(refusal: Refusal) -> str:
    """GitHub's reason: the details where there are some, else the message."""
    details = [one if isinstance(one, str) else str(one.get("message", "")) for one in refusal.errors or []]
    return "; ".join(filter(None, details)) or refusal.message
