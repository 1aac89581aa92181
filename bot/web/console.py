"""The console: recent runs, locks and artifacts, and the live log of a run.

Whoever has a link can read, and nothing more: what changes anything, and artifacts, are for people who are known.
"""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Callable, Sequence
from datetime import datetime

from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from bot.domain.ports.store import Store
from bot.domain.run import Run
from bot.web.event_stream import event_stream, polled
from bot.web.keys import Keys
from bot.web.pages import render_page
from bot.web.run_links import expired_page, link_expired, require_key

RECENT = 50
"""Runs on the index page."""


def routes(store: Store, keys: Keys, now: Callable[[], datetime], notices: Sequence[str] = ()) -> list[Route]:
    """Return the routes `/`, `/runs/<id>` and `/runs/<id>/events`. Each answers 404 without its key; a run's answer 410
    once its links have expired.

    now: the time, UTC. notices: sentences at the top of the index page.
    """

    def index(_request: Request) -> Response:
        with store.read() as tables:
            names = [repository.name for repository in tables.pulls.repositories()]
            runs = [run for name in names for run in tables.runs.recent(name, RECENT)]
            locks = tables.locks.all()
            stored = [artifact for name in names for artifact in tables.artifacts.of_repository(name)]
            runs.sort(key=lambda run: str(run.created_at), reverse=True)
            live = {run.id for run in runs[:RECENT] if not link_expired(tables, run, now())}
        return render_page(
            "index.html",
            notices=notices,
            runs=runs[:RECENT],
            locks=locks,
            artifacts=stored,
            link=lambda run: keys.link("", run_path(run.id)) if run.id in live else "",
        )

    def run_page(request: Request) -> Response:
        run_id = request.path_params["run_id"]
        with store.read() as tables:
            run = tables.runs.get(run_id)
            if run is None:
                return PlainTextResponse("No such run.\n", 404)
            if link_expired(tables, run, now()):
                return expired_page(tables, run)
        events = f"/runs/{run_id}/events?key={keys.of(run_path(run_id))}"
        return render_page("run.html", run=run, events=events)

    def run_events(request: Request) -> Response:
        run_id = request.path_params["run_id"]
        with store.read() as tables:
            run = tables.runs.get(run_id)
            if run is not None and link_expired(tables, run, now()):
                return PlainTextResponse("This link has expired.\n", 410)
        after = request.headers.get("last-event-id", "0")
        stream = follow(store, run_id, int(after) if after.isdecimal() and len(after) < 19 else 0)
        return event_stream(stream)

    def this_run(request: Request) -> str:
        return run_path(request.path_params["run_id"])

    return [
        Route("/", require_key(keys, lambda _request: "", index)),
        Route("/runs/{run_id}", require_key(keys, this_run, run_page)),
        Route("/runs/{run_id}/events", require_key(keys, this_run, run_events)),
    ]


def run_path(run_id: str) -> str:
    """Return the path of a run's page, which its key is derived from."""
    return f"runs/{run_id}"


async def follow(store: Store, run_id: str, after: int) -> AsyncIterator[str]:
    """Yield server-sent events: `line` for each log line after position `after`, `phase` on a change, then `end`."""
    phase = ""

    def read() -> tuple[Run | None, int, list[str]]:
        return _read_log(store, run_id, after)

    async for run, position, lines in polled(read):
        for line in lines:
            yield f"event: line\ndata: {json.dumps(line)}\n\n"
        if position != after:
            after = position
            yield f"id: {after}\nevent: mark\ndata: {after}\n\n"
        current = f"{run.phase}:{run.outcome or ''}" if run else ""
        if current != phase:
            phase = current
            yield f"event: phase\ndata: {json.dumps({'phase': run.phase, 'outcome': run.outcome} if run else {})}\n\n"
        if run is None or not run.active:
            yield "event: end\ndata: {}\n\n"
            return


def _read_log(store: Store, run_id: str, after: int) -> tuple[Run | None, int, list[str]]:
    with store.read() as tables:
        position, lines = tables.runs.log(run_id, after)
        return tables.runs.get(run_id), position, lines
