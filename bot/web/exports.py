"""The page of an export: what it takes, how far it is, and how it ended. Slack's message links to it."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from dataclasses import asdict

from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from bot.domain.exports import Export
from bot.domain.ports.store import Store
from bot.web.event_stream import event_stream, polled
from bot.web.keys import Keys
from bot.web.pages import render_page
from bot.web.run_links import require_key


def export_path(export_id: str) -> str:
    """Return the path of an export's page, which its key is derived from."""
    return f"exports/{export_id}"


def routes(store: Store, keys: Keys) -> list[Route]:
    """Return the routes `/exports/<id>` and `/exports/<id>/events`. Each answers 404 without its key."""

    def page(request: Request) -> Response:
        export_id = request.path_params["export_id"]
        with store.read() as tables:
            export = tables.exports.get(export_id)
            if export is None:
                return PlainTextResponse("No such export.\n", 404)
            preview, manifest = tables.exports.preview(export_id), tables.exports.manifest(export_id)
        events = f"/{export_path(export_id)}/events?key={keys.of(export_path(export_id))}"
        return render_page("export.html", export=export, preview=preview, manifest=manifest, events=events)

    def events(request: Request) -> Response:
        return event_stream(follow(store, request.path_params["export_id"]))

    def this_export(request: Request) -> str:
        return export_path(request.path_params["export_id"])

    return [
        Route("/exports/{export_id}", require_key(keys, this_export, page)),
        Route("/exports/{export_id}/events", require_key(keys, this_export, events)),
    ]


async def follow(store: Store, export_id: str) -> AsyncIterator[str]:
    """Yield a server-sent event `progress` on each change, then `end`."""
    seen = ""
    async for export in polled(lambda: _read(store, export_id)):
        facts = json.dumps(_facts(export) if export else {})
        if facts != seen:
            seen = facts
            yield f"event: progress\ndata: {facts}\n\n"
        if export is None or not export.active:
            yield "event: end\ndata: {}\n\n"
            return


def _read(store: Store, export_id: str) -> Export | None:
    with store.read() as tables:
        return tables.exports.get(export_id)


def _facts(export: Export) -> dict[str, object]:
    return {"phase": export.phase, "outcome": export.outcome, **asdict(export.progress)}
