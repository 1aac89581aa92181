"""Download artifacts with a one-time link, which is made for one person.

A download needs a POST, so that a link preview, which sends a GET, does not use the link up.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import datetime

import structlog
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from bot.domain.ports.records import Artifact
from bot.domain.ports.store import Store
from bot.services.releases import redeem_ticket
from bot.web.pages import render_page

log = structlog.get_logger()


def routes(store: Store, now: Callable[[], datetime]) -> list[Route]:
    """Return the routes of `/artifacts/<token>`: GET shows a button, POST downloads, once. now: the time, UTC."""

    def confirm(_request: Request) -> Response:
        return render_page("artifact.html", forms=True)

    def redeem(request: Request) -> Response:
        return _download(lambda: redeem_ticket(store, request.path_params["token"], now()))

    return [
        Route("/artifacts/{token}", confirm),
        Route("/artifacts/{token}", redeem, methods=["POST"]),
    ]


def _download(fetch: Callable[[], tuple[Artifact, bytes] | None]) -> Response:
    """Return the file, or a page that says why not. `fetch` raises if it cannot record the download."""
    try:
        found = fetch()
    except Exception as error:
        log.exception("artifact download failed", error=type(error).__name__)
        return render_page("artifact.html", 503, broken=True)
    if found is None:
        return render_page("artifact.html", 404, gone=True)
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
