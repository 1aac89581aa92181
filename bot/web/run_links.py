"""What all pages about a run have in common: a key in the address, and an end."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response

from bot.domain.access import GRACE, link_expires
from bot.domain.ports.store import Tables
from bot.domain.run import Run
from bot.web.keys import Keys
from bot.web.pages import render_page

Endpoint = Callable[[Request], Response]


def require_key(keys: Keys, path: Callable[[Request], str], serve: Endpoint) -> Endpoint:
    """Return an endpoint that answers 404 without the key of the page. path: what its key is derived from."""

    def endpoint(request: Request) -> Response:
        if not keys.matches(path(request), request.query_params.get("key", "")):
            return PlainTextResponse("This page needs a key. Open it from a link that the bot posted.\n", 404)
        return serve(request)

    return endpoint


def link_expired(tables: Tables, run: Run, now: datetime) -> bool:
    """Whether links to pages about a run no longer work. now: UTC."""
    expires = link_expires(run, tables.pulls.get(run.target.repository, run.pull) if run.pull else None)
    return expires is not None and expires <= now


def expired_page(tables: Tables, run: Run) -> Response:
    """Return the page that such a link leads to."""
    pull = tables.pulls.get(run.target.repository, run.pull) if run.pull else None
    return render_page("expired.html", 410, run=run, pull=pull, days=GRACE.days)
