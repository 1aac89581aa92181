"""Serve the built-in backend at `/state/<owner>/<repository>/<stack>/<environment>[/<instance>]`."""

from __future__ import annotations

import logging
from dataclasses import replace

from starlette.concurrency import run_in_threadpool
from starlette.requests import ClientDisconnect
from starlette.requests import Request as HttpRequest
from starlette.responses import Response as HttpResponse
from starlette.routing import Route

from bot.domain.target import Target
from bot.errors import TransientError
from bot.state.backend import Backend
from bot.state.messages import MAX_STATE, METHODS, TOO_LARGE, Request, Response

_log = logging.getLogger(__name__)
_PATH = "/state/{owner}/{repository}/{stack}/{environment}"


def routes(backend: Backend) -> list[Route]:
    """Return routes for a Starlette application. Credentials are checked before a body is read."""

    async def state(http_request: HttpRequest) -> HttpResponse:
        try:
            return _http_response(await _handle(backend, http_request))
        except ClientDisconnect:
            return HttpResponse(status_code=400)
        except TransientError as error:  # Terraform retries after any 5xx
            _log.warning("The state at %s is unavailable: %s", http_request.url.path, error)
            return HttpResponse("Try again\n", 503, {"Retry-After": str(round(error.retry_after))})

    return [
        Route(_PATH, state, methods=list(METHODS)),
        Route(_PATH + "/{instance}", state, methods=list(METHODS)),
    ]


async def _handle(backend: Backend, http_request: HttpRequest) -> Response:
    path = http_request.path_params
    target = Target(
        f"{path['owner']}/{path['repository']}".lower(),
        path["stack"],
        path["environment"],
        path.get("instance", ""),
    )
    method = "GET" if http_request.method == "HEAD" else http_request.method
    request = Request(method, target.key, dict(http_request.headers), dict(http_request.query_params))
    if refusal := await run_in_threadpool(backend.refuse, request):
        return refusal
    body = bytearray()
    async for chunk in http_request.stream():
        body += chunk
        if len(body) > MAX_STATE:
            return TOO_LARGE
    request = replace(request, body=bytes(body))
    body.clear()  # free the copy: a state may be large, and parsing it takes several times its size
    return await run_in_threadpool(backend.handle, request)


def _http_response(response: Response) -> HttpResponse:
    if response.status == 204:
        return HttpResponse(status_code=204)
    return HttpResponse(response.body, response.status, dict(response.headers), response.content_type)
