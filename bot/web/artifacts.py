"""Artifacts for those who were given a link, or the console's key. Only a click gives one out: previews open links."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import datetime
from urllib.parse import parse_qs

import structlog
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from bot.domain.ports.records import Artifact
from bot.domain.ports.store import Store
from bot.services import keeping
from bot.web.app import TooLarge, read_body
from bot.web.keys import Keys
from bot.web.pages import page

log = structlog.get_logger()

FORM = 4096
"""Bytes of a form: a key and little else."""


def page_of(artifact_id: str) -> str:
    return f"console/artifacts/{artifact_id}"


def routes(store: Store, keys: Keys, now: Callable[[], datetime]) -> list[Route]:
    """`/artifacts/<token>`: GET asks, POST gives, once. `/console/artifacts/<id>`: POST gives to who has its key."""

    def ask(_request: Request) -> Response:
        return page("artifact.html", forms=True)

    def redeem(request: Request) -> Response:
        return _given(lambda: keeping.redeem(store, request.path_params["token"], now()))

    async def fetch(request: Request) -> Response:
        artifact_id = request.path_params["artifact_id"]
        try:
            form = parse_qs((await read_body(request, FORM)).decode("ascii", "replace"))
        except (TooLarge, ValueError):
            form = {}
        if not keys.fits(page_of(artifact_id), form.get("key", [""])[0]):
            return page("artifact.html", 404, gone=True)
        return await run_in_threadpool(_given, lambda: keeping.fetch(store, artifact_id, now()))

    return [
        Route("/artifacts/{token}", ask),
        Route("/artifacts/{token}", redeem, methods=["POST"]),
        Route("/console/artifacts/{artifact_id}", fetch, methods=["POST"]),
    ]


def _given(look: Callable[[], tuple[Artifact, bytes] | None]) -> Response:
    """The file, or a page that says why there is none. What cannot be recorded is not given out."""
    try:
        found = look()
    except Exception as error:
        log.exception("an artifact was not given out", error=type(error).__name__)
        return page("artifact.html", 503, broken=True)
    if found is None:
        return page("artifact.html", 404, gone=True)
    artifact, content = found
    name = re.sub(r"[^A-Za-z0-9._-]", "_", artifact.name)
    return Response(
        content,
        media_type="application/octet-stream",
        headers={
            "content-disposition": f'attachment; filename="{name}"',
            "cache-control": "no-store",
            "x-content-type-options": "nosniff",
            "referrer-policy": "no-referrer",
        },
    )
