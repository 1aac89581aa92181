"""The stand-in for GitHub as a web application: the API at / and /api/v3, GraphQL, and git over HTTP."""

from __future__ import annotations

import json
import time
from collections.abc import Awaitable, Callable
from email.utils import format_datetime
from urllib.parse import unquote

from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from bot.playground.github import (
    checks,
    comments,
    commits,
    contents,
    deployments,
    dispatches,
    git_http,
    hook_deliveries,
    issues,
    pulls,
    repos,
    statuses,
    teams,
    users,
    workflows,
)
from bot.playground.github.access import Actor, authenticate
from bot.playground.github.call import Call, Handler, Reply, Routes
from bot.playground.github.context import AppContext, Exchange
from bot.playground.github.fault_middleware import FaultMiddleware
from bot.playground.github.faults import SECONDARY, Faults
from bot.playground.github.graphql import graphql
from bot.playground.github.responses import error_response, json_response
from bot.playground.github.state import Refusal, State
from bot.playground.github.webhooks import Webhooks


def create_app(state: State, webhooks: Webhooks, faults: Faults) -> Starlette:
    """Create the application over `state`. `app.state.context` is its AppContext."""
    context = AppContext(state, webhooks, faults)
    api: Routes = [
        *users.ROUTES,
        *teams.ROUTES,
        *comments.ROUTES,
        *issues.ROUTES,
        *checks.ROUTES,
        *statuses.ROUTES,
        *workflows.ROUTES,
        *dispatches.ROUTES,
        *deployments.ROUTES,
        *pulls.ROUTES,
        *repos.ROUTES,
        *commits.ROUTES,
        *contents.ROUTES,
        *hook_deliveries.routes(webhooks),
    ]
    routes = [
        Route(prefix + path, _endpoint(context, handler), methods=[method])
        for prefix in ("", "/api/v3")
        for method, path, handler in sorted(api, key=_specificity)
    ]
    routes += [
        Route(path, _endpoint(context, graphql), methods=["POST"]) for path in ("/graphql", "/api/graphql")
    ]
    serve_git = git_http.endpoint(state)
    routes.append(Route("/{owner}/{repo}.git/{rest:path}", serve_git, methods=["GET", "POST"]))
    app = Starlette(routes=routes, exception_handlers={404: _unknown_route, 405: _unknown_route})
    app.state.context = context
    app.add_middleware(FaultMiddleware, context=context)
    return app


def _specificity(route: tuple[str, str, Handler]) -> int:
    """Sort routes with a path of any length last, and those with the least after it at the very end."""
    return -len(route[1].split(":path}")[-1]) if ":path}" in route[1] else -1000


async def _unknown_route(_request: Request, _error: Exception) -> Response:
    return error_response(Refusal(404, "Not Found"))


def _endpoint(context: AppContext, handler: Handler) -> Callable[[Request], Awaitable[Response]]:
    async def endpoint(request: Request) -> Response:
        body = await request.body()
        response = await run_in_threadpool(_respond, context, handler, request, body)
        context.exchanges.append(
            Exchange(
                method=request.method,
                path=request.url.path.removeprefix("/api/v3"),
                query=request.url.query,
                headers=dict(request.headers),
                body=body,
                status=response.status_code,
                answer=bytes(response.body),
                content_type=response.headers.get("content-type", ""),
            )
        )
        return response

    return endpoint


def _respond(context: AppContext, handler: Handler, request: Request, body: bytes) -> Response:
    state = context.state
    rates = {"x-ratelimit-limit": "5000", "x-ratelimit-remaining": "4999", "x-ratelimit-used": "1"}
    rates["x-ratelimit-reset"] = str(int(time.time()) + 3600)
    answer = _answer(context, handler, request, body, rates)
    answer.headers["date"] = format_datetime(state.now(), usegmt=True)
    return answer


def _answer(
    context: AppContext, handler: Handler, request: Request, body: bytes, rates: dict[str, str]
) -> Response:
    state = context.state
    try:
        with state.lock:
            actor = authenticate(state, request.headers.get("authorization", ""))
            wait = context.faults.seconds_to_wait(_name(actor), request.method)
            if wait is not None:
                return error_response(Refusal(403, SECONDARY), {**rates, "retry-after": str(wait)})
            call = Call(
                state=state,
                actor=actor,
                url=str(request.url.replace(query="")),
                path={key: unquote(value) for key, value in request.path_params.items()},
                query=request.query_params,
                body=json.loads(body) if body else {},
                accept=request.headers.get("accept", ""),
            )
            reply = handler(call)
    except Refusal as refusal:
        return error_response(refusal, rates)
    except json.JSONDecodeError:
        return error_response(Refusal(400, "Problems parsing JSON"), rates)
    return _response(reply, rates)


def _name(actor: Actor) -> str:
    return actor.user.login if actor.user else f"app {actor.app.id}" if actor.app else "nobody"


def _response(reply: Reply, rates: dict[str, str]) -> Response:
    headers = {**rates, **reply.headers}
    if reply.raw is not None:
        return Response(reply.raw, reply.status, headers, media_type="application/vnd.github.raw+json")
    if reply.status == 204:
        return Response(status_code=204, headers=headers)
    return json_response(reply.data, reply.status, headers)
