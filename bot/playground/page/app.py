"""The page's HTTP side: HTML fragments, a stream of changes, and one route for all actions."""

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
from bot.playground.page import pull_actions, slack_actions
from bot.playground.page.change_stream import ChangeStream
from bot.playground.page.control import Control
from bot.playground.page.databases_view import databases_view
from bot.playground.page.pull_view import commit_files, pull_view, pulls
from bot.playground.page.renderer import Renderer
from bot.playground.page.request_fields import RequestFields
from bot.playground.page.slack_view import slack_view
from bot.playground.slack.refusal import NotOffered
from bot.playground.world import ROLES, World

HOSTS = ["127.0.0.1", "localhost"]
"""Host names that the page answers to. Others that resolve to loopback must not reach it (DNS rebinding)."""
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
"""Limit of a request in bytes. Enough for a comment of 65,536 characters, escaped as JSON."""


def create_app(world: World, control: Control, changes: ChangeStream) -> Starlette:
    """Create the page over a started world. Actions need the token that the page is served with."""
    token, renderer = secrets.token_urlsafe(24), Renderer(world)
    actions = {**pull_actions.ACTIONS, **slack_actions.ACTIONS}
    bar_actions: dict[str, Callable[[RequestFields], None]] = {
        "bar.kill": lambda _fields: control.kill(),
        "bar.start": lambda _fields: control.start(),
        "bar.slow": lambda fields: control.slow_down(fields.flag("on")),
    }

    def html(name: str, **values: Any) -> Response:
        return HTMLResponse(renderer.render(name, **values), headers=HEADERS)

    def index(_request: Request) -> Response:
        titles = {name: pull_actions.title_of(name) for name in sample.CHANGES}
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
        view = pull_view(world, number, query.get("author", ""), query.get("tab", ""))
        return html("pull.html", **vars(view))

    def slack(request: Request) -> Response:
        query = request.query_params
        user, place = query.get("user") or "ann", query.get("channel") or "infra"
        return html("slack.html", **vars(slack_view(world, user, place, query.get("thread", ""))))

    def bar(request: Request) -> Response:
        return html("bar.html", bar=control.bar(), open=request.query_params.get("databases") == "open")

    def databases(request: Request) -> Response:
        query = request.query_params
        if world.shop is None or query.get("databases") != "open":
            return HTMLResponse("", headers=HEADERS)
        table, page = query.get("table", ""), query.get("page", "")[:9]
        found = databases_view(world.shop, table, int(page) if page.isdecimal() else 0)
        return html("databases.html", databases=found, table=table)

    def commit(request: Request) -> Response:
        sha = request.path_params["sha"]
        title, files = commit_files(world, sha)
        return html("commit.html", sha=sha, title=title, files=files)

    async def events(_request: Request) -> Response:
        return StreamingResponse(changes.stream(), media_type="text/event-stream", headers=HEADERS)

    async def act(request: Request) -> Response:
        if not hmac.compare_digest(request.headers.get("x-page-token", "").encode(), token.encode()):
            return _error("This page belongs to an earlier demo.", 403, next_step="Reload it.")
        if int(request.headers.get("content-length", MAX_BODY + 1)) > MAX_BODY:
            return _error("The request is too large.", 413)
        fields = await request.json()
        return await run_in_threadpool(perform, fields if isinstance(fields, dict) else {})

    def perform(values: dict[str, Any]) -> Response:
        fields = RequestFields(values)
        try:
            name = fields.text("act")
            if name in bar_actions:
                bar_actions[name](fields)
                return JSONResponse({}, headers=HEADERS)
            if name not in actions:
                return _error(f"There is no action {name}.", 404)
            number = actions[name](world, fields)
            return JSONResponse({} if number is None else {"pull": number}, headers=HEADERS)
        except UserError as error:
            return _error(error.what, 422, next_step=error.next_step)
        except Refusal as refusal:
            return _error(f"GitHub: {_reason(refusal)}", 422)
        except NotOffered as error:
            return _error(f"Slack: {error}", 422)

    return Starlette(
        routes=[
            Route("/", index),
            Route("/parts/pull", pull),
            Route("/parts/slack", slack),
            Route("/parts/bar", bar),
            Route("/parts/databases", databases),
            Route("/commit/{sha}", commit),
            Route("/favicon.ico", lambda _request: RedirectResponse("/static/icon.svg")),
            Route("/events", events),
            Route("/act", act, methods=["POST"]),
            Mount("/static", StaticFiles(directory=Path(__file__).with_name("static"))),
        ],
        middleware=[Middleware(TrustedHostMiddleware, allowed_hosts=HOSTS, www_redirect=False)],
        exception_handlers={NotOffered: _not_found, Refusal: _not_found},
    )


def _not_found(_request: Request, error: Exception) -> Response:
    return _error(str(error), 404)


def _error(what: str, status: int, *, next_step: str = "") -> Response:
    return JSONResponse({"error": f"{what} {next_step}".strip()}, status, headers=HEADERS)


def _reason(refusal: Refusal) -> str:
    """Return the details of GitHub's error if there are any, else its message."""
    details = [one if isinstance(one, str) else str(one.get("message", "")) for one in refusal.errors or []]
    return "; ".join(filter(None, details)) or refusal.message
