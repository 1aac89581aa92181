"""HTTP side of the stand-in for Slack: the Web API and response URLs."""

from __future__ import annotations

import json
from email.utils import formatdate
from typing import Any
from urllib.parse import parse_qsl

from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response, StreamingResponse
from starlette.routing import Route

from bot.playground.slack.faults import Fault
from bot.playground.slack.methods import METHODS
from bot.playground.slack.model import Call
from bot.playground.slack.refusal import Refusal
from bot.playground.slack.response_urls import respond
from bot.playground.slack.state import State

RESPONSE = "response_url"
"""The method name that faults use for response URLs."""


def truncated_response() -> Response:
    """Return a truncated response: the server closes the connection before the announced length."""
    return StreamingResponse(iter([b"{"]), headers={"content-length": "1000"})


def create_app(state: State) -> Starlette:
    """Create the application, with the routes `POST /api/<method>` and `POST /response/<name>`."""

    async def api(request: Request) -> Response:
        body = await request.body()
        return await run_in_threadpool(
            _api, state, request.path_params["method"], body, dict(request.headers)
        )

    async def response(request: Request) -> Response:
        body = await request.body()
        return await run_in_threadpool(_response, state, request.path_params["name"], body)

    return Starlette(
        routes=[
            Route("/api/{method}", api, methods=["GET", "POST"]),
            Route("/response/{name}", response, methods=["POST"]),
        ]
    )


def _api(state: State, method: str, body: bytes, headers: dict[str, str]) -> Response:
    fault = state.faults.take(method)
    if fault and fault.outcome != "drop_response":
        return _fault_response(state, fault)
    params: dict[str, Any] = {}
    try:
        params = _params(body, headers.get("content-type", ""))
        answer = _call(state, method, params, headers.get("authorization", ""))
    except Refusal as refusal:
        state.calls.append(Call(method, params, refusal.error))
        return _error_response(refusal)
    state.calls.append(Call(method, params))
    if method not in ("auth.test", "users.info") and not method.startswith("conversations."):
        state.changed()
    date = {"date": formatdate(state.clock(), usegmt=True)}
    return truncated_response() if fault else JSONResponse({"ok": True, **answer}, headers=date)


def _call(state: State, method: str, params: dict[str, Any], authorization: str) -> dict[str, Any]:
    if method not in METHODS:
        raise Refusal("unknown_method")
    _authenticate(
        state, method, authorization.removeprefix("Bearer ").strip() or str(params.pop("token", ""))
    )
    params.pop("token", None)
    seconds = state.limits.wait(method, str(params.get("channel") or ""), state.clock())
    if seconds:
        raise Refusal("ratelimited", retry_after=seconds)
    with state.lock:
        return METHODS[method](state, params)


def _authenticate(state: State, method: str, token: str) -> None:
    if not token:
        raise Refusal("not_authed")
    if token not in (state.bot_token, state.app_token):
        raise Refusal("invalid_auth")
    if (token == state.app_token) != (method == "apps.connections.open"):
        raise Refusal("not_allowed_token_type")


def _params(body: bytes, content_type: str) -> dict[str, Any]:
    if "json" not in content_type or not body.lstrip().startswith(b"{"):
        return dict(parse_qsl(body.decode("utf-8", "replace"), keep_blank_values=True))
    try:
        return dict(json.loads(body))
    except ValueError as error:
        raise Refusal("invalid_json") from error


def _response(state: State, name: str, body: bytes) -> Response:
    fault = state.faults.take(RESPONSE)
    if fault and fault.outcome != "drop_response":
        return _fault_response(state, fault)
    try:
        params = _params(body, "application/json")
        with state.lock:
            respond(state, name, params)
    except Refusal as refusal:
        status = 404 if refusal.error.endswith("_url") else 400
        return PlainTextResponse(refusal.error, status)
    state.changed()
    return truncated_response() if fault else PlainTextResponse("ok")


def _fault_response(state: State, fault: Fault) -> Response:
    if isinstance(fault.outcome, int):
        if fault.outcome == 429:
            return _error_response(Refusal("ratelimited", retry_after=int(fault.seconds)))
        return PlainTextResponse("upstream failure", fault.outcome)
    state.faults.ended.wait(fault.seconds)
    return truncated_response()


def _error_response(refusal: Refusal) -> Response:
    body: dict[str, Any] = {"ok": False, "error": refusal.error}
    if refusal.messages:
        body["response_metadata"] = {"messages": list(refusal.messages)}
    if refusal.retry_after:
        return JSONResponse(body, 429, headers={"Retry-After": str(refusal.retry_after)})
    return JSONResponse(body)
