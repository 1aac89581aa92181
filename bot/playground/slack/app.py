"""The stand-in's HTTP side: the Web API and the response URLs."""

from __future__ import annotations

import json
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
from bot.playground.slack.refusal import Refused
from bot.playground.slack.responses import respond
from bot.playground.slack.state import State

RESPONSE = "response_url"
"""The name under which faults find the response URLs."""


def cut_off() -> Response:
    """An answer that breaks off: the server closes the connection before the promised length."""
    return StreamingResponse(iter([b"{"]), headers={"content-length": "1000"})


def create_app(state: State) -> Starlette:
    """Routes: `POST /api/<method>` and `POST /response/<name>`."""

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
        return _failing(state, fault)
    params: dict[str, Any] = {}
    try:
        params = _params(body, headers.get("content-type", ""))
        answer = _call(state, method, params, headers.get("authorization", ""))
    except Refused as no:
        state.calls.append(Call(method, params, no.error))
        return _refusal(no)
    state.calls.append(Call(method, params))
    if method not in ("auth.test", "users.info") and not method.startswith("conversations."):
        state.changed()
    return cut_off() if fault else JSONResponse({"ok": True, **answer})


def _call(state: State, method: str, params: dict[str, Any], authorization: str) -> dict[str, Any]:
    if method not in METHODS:
        raise Refused("unknown_method")
    _authenticate(
        state, method, authorization.removeprefix("Bearer ").strip() or str(params.pop("token", ""))
    )
    params.pop("token", None)
    seconds = state.limits.wait(method, str(params.get("channel") or ""), state.clock())
    if seconds:
        raise Refused("ratelimited", retry_after=seconds)
    with state.lock:
        return METHODS[method](state, params)


def _authenticate(state: State, method: str, token: str) -> None:
    if not token:
        raise Refused("not_authed")
    if token not in (state.bot_token, state.app_token):
        raise Refused("invalid_auth")
    if (token == state.app_token) != (method == "apps.connections.open"):
        raise Refused("not_allowed_token_type")


def _params(body: bytes, content_type: str) -> dict[str, Any]:
    if "json" not in content_type or not body.lstrip().startswith(b"{"):
        return dict(parse_qsl(body.decode("utf-8", "replace"), keep_blank_values=True))
    try:
        return dict(json.loads(body))
    except ValueError as error:
        raise Refused("invalid_json") from error


def _response(state: State, name: str, body: bytes) -> Response:
    fault = state.faults.take(RESPONSE)
    if fault and fault.outcome != "drop_response":
        return _failing(state, fault)
    try:
        params = _params(body, "application/json")
        with state.lock:
            respond(state, name, params)
    except Refused as no:
        status = 404 if no.error.endswith("_url") else 400
        return PlainTextResponse(no.error, status)
    state.changed()
    return cut_off() if fault else PlainTextResponse("ok")


def _failing(state: State, fault: Fault) -> Response:
    if isinstance(fault.outcome, int):
        if fault.outcome == 429:
            return _refusal(Refused("ratelimited", retry_after=int(fault.seconds)))
        return PlainTextResponse("upstream failure", fault.outcome)
    state.faults.ended.wait(fault.seconds)
    return cut_off()


def _refusal(no: Refused) -> Response:
    body: dict[str, Any] = {"ok": False, "error": no.error}
    if no.messages:
        body["response_metadata"] = {"messages": list(no.messages)}
    if no.retry_after:
        return JSONResponse(body, 429, headers={"Retry-After": str(no.retry_after)})
    return JSONResponse(body)
