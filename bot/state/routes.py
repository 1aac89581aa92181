"""The built-in backend over HTTP: `/state/<owner>/<repository>/<stack>/<environment>[/<instance>]`."""

from __future__ import annotations

import logging

from starlette.concurrency import run_in_threadpool
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response as Reply
from starlette.routing import Route

from bot.domain.target import Target
from bot.errors import TransientError
from bot.state.backend import MAX_STATE, METHODS, Backend, Response

_log = logging.getLogger(__name__)
_PATH = "/state/{owner}/{repository}/{stack}/{environment}"


def routes(backend: Backend) -> list[Route]:
    """Routes for a Starlette application. Credentials are checked before a body is read."""

    async def state(request: Request) -> Reply:
        try:
            return _reply(await _handle(backend, request))
        except ClientDisconnect:
            return Reply(status_code=400)
        except TransientError as trouble:  # Terraform tries again after any 5xx
            _log.warning("The state of %s is not to be had for now: %s", request.url.path, trouble)
            return Reply("Try again\n", 503, {"Retry-After": str(round(trouble.retry_after))})

    return [
        Route(_PATH, state, methods=list(METHODS)),
        Route(_PATH + "/{instance}", state, methods=list(METHODS)),
    ]


async def _handle(backend: Backend, request: Request) -> Response:
    part = request.path_params
    target = Target(
        f"{part['owner']}/{part['repository']}".lower(),
        part["stack"],
        part["environment"],
        part.get("instance", ""),
    )
    method = "GET" if request.method == "HEAD" else request.method
    headers = dict(request.headers)
    if refusal := await run_in_threadpool(backend.refuse, method, target.key, headers):
        return refusal
    body = bytearray()
    async for chunk in request.stream():
        body += chunk
        if len(body) > MAX_STATE:
            return Response(413, b"The state is too big\n")
    query, whole = dict(request.query_params), bytes(body)
    body.clear()  # a state may be large, and reading it takes some times its size
    return await run_in_threadpool(backend.handle, method, target.key, query, headers, whole)


def _reply(response: Response) -> Reply:
    if response.status == 204:
        return Reply(status_code=204)
    return Reply(response.body, response.status, dict(response.headers), response.content_type)
