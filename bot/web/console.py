"""The console: what runs, what ran, and a run's live log."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Callable

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response, StreamingResponse
from starlette.routing import Route

from bot.domain.ports.store import Store
from bot.domain.run import Run
from bot.web import artifacts
from bot.web.keys import Keys
from bot.web.pages import page as shown

RECENT = 50
TICK = 0.5
"""Seconds between two looks at a live log."""
LONGEST = 6 * 3600
"""Seconds after which a stream ends; the page opens it again where it stood."""


def routes(store: Store, keys: Keys) -> list[Route]:
    """`/`, `/runs/<id>` and `/runs/<id>/events`; each needs its key, and without it there is nothing to see."""

    def guarded(
        page: Callable[[Request], str], serve: Callable[[Request], Response]
    ) -> Callable[[Request], Response]:
        def endpoint(request: Request) -> Response:
            if not keys.fits(page(request), request.query_params.get("key", "")):
                return PlainTextResponse("This page needs its key: open it by a link of the bot's.\n", 404)
            return serve(request)

        return endpoint

    def index(_request: Request) -> Response:
        with store.read() as tables:
            names = [repository.name for repository in tables.pulls.repositories()]
            runs = [run for name in names for run in tables.runs.recent(name, RECENT)]
            locks = tables.locks.all()
            kept = [artifact for name in names for artifact in tables.artifacts.of_repository(name)]
        runs.sort(key=lambda run: str(run.created_at), reverse=True)
        return shown(
            "index.html",
            forms=True,
            runs=runs[:RECENT],
            locks=locks,
            artifacts=kept,
            link=lambda run: keys.link("", page_of(run.id)),
            fetch=artifacts.page_of,
            key=lambda artifact: keys.of(artifacts.page_of(artifact.id)),
        )

    def run_page(request: Request) -> Response:
        run_id = request.path_params["run_id"]
        with store.read() as tables:
            run = tables.runs.get(run_id)
        if run is None:
            return PlainTextResponse("There is no such run.\n", 404)
        events = f"/runs/{run_id}/events?key={keys.of(page_of(run_id))}"
        return shown("run.html", run=run, events=events)

    def run_events(request: Request) -> Response:
        run_id = request.path_params["run_id"]
        after = request.headers.get("last-event-id", "0")
        stream = follow(store, run_id, int(after) if after.isdecimal() and len(after) < 19 else 0)
        return StreamingResponse(
            stream, media_type="text/event-stream", headers={"cache-control": "no-store"}
        )

    def this_run(request: Request) -> str:
        return page_of(request.path_params["run_id"])

    return [
        Route("/", guarded(lambda _request: "", index)),
        Route("/runs/{run_id}", guarded(this_run, run_page)),
        Route("/runs/{run_id}/events", guarded(this_run, run_events)),
    ]


def page_of(run_id: str) -> str:
    return f"runs/{run_id}"


async def follow(store: Store, run_id: str, after: int) -> AsyncIterator[str]:
    """Server-sent events: `line` for each line of the log from position `after`, `phase` when it changes, `end`."""
    phase, waited = "", 0.0
    while waited < LONGEST:
        run, position, lines = await run_in_threadpool(_look, store, run_id, after)
        for line in lines:
            yield f"event: line\ndata: {json.dumps(line)}\n\n"
        if position != after:
            after = position
            yield f"id: {after}\nevent: mark\ndata: {after}\n\n"
        now = f"{run.phase}:{run.outcome or ''}" if run else ""
        if now != phase:
            phase = now
            yield f"event: phase\ndata: {json.dumps({'phase': run.phase, 'outcome': run.outcome} if run else {})}\n\n"
        if run is None or not run.active:
            yield "event: end\ndata: {}\n\n"
            return
        await asyncio.sleep(TICK)
        waited += TICK


def _look(store: Store, run_id: str, after: int) -> tuple[Run | None, int, list[str]]:
    with store.read() as tables:
        position, lines = tables.runs.log(run_id, after)
        return tables.runs.get(run_id), position, lines
