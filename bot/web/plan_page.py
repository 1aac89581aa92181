"""The page with all that a plan changes. The comment, the check and the approval request link to it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import datetime
from itertools import groupby

from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from bot.domain.plans import PlanPage, PlanSection, PlanSummary, read_page
from bot.domain.ports.store import Store
from bot.domain.run import Plan
from bot.web.keys import Keys
from bot.web.pages import render_page
from bot.web.run_links import expired_page, link_expired, require_key

STATUSES = {
    "fresh": "not applied yet",
    "superseded": "superseded by a newer plan",
    "applying": "being applied",
    "applied": "applied",
    "failed": "apply failed",
    "discarded": "discarded",
}


def plan_path(plan_id: str) -> str:
    """Return the path of a plan's page, which its key is derived from."""
    return f"plans/{plan_id}"


def routes(store: Store, keys: Keys, now: Callable[[], datetime]) -> list[Route]:
    """Return the route `/plans/<id>`. It answers 404 without its key, and 410 once the links of its run have expired.
    `?page=2` is the second page of a long plan. now: the time, UTC."""

    def show(request: Request) -> Response:
        plan_id, number = request.path_params["plan_id"], _number(request.query_params.get("page", "1"))
        with store.read() as tables:
            plan = tables.plans.get(plan_id)
            if plan is None:
                return PlainTextResponse("No such plan.\n", 404)
            run = tables.runs.get(plan.run_id)
            if run is not None and link_expired(tables, run, now()):
                return expired_page(tables, run)
            content = tables.plans.page(plan_id, number)
        return _page(plan, read_page(content) if content else (), number, keys.of(plan_path(plan_id)))

    def this_plan(request: Request) -> str:
        return plan_path(request.path_params["plan_id"])

    return [Route("/plans/{plan_id}", require_key(keys, this_plan, show))]


def _number(text: str) -> int:
    return int(text) if text.isascii() and text.isdecimal() and len(text) < 6 else 1


def _page(plan: Plan, page: PlanPage, number: int, key: str) -> Response:
    summary = PlanSummary.from_dict(plan.summary)
    return render_page(
        "plan.html",
        200 if page else 404,
        plan=plan,
        headline=summary.headline,
        state=STATUSES[plan.status],
        groups=list(_groups(page)),
        number=number,
        pages=[(one, f"/{plan_path(plan.id)}?key={key}&page={one}") for one in range(1, summary.pages + 1)],
        css=css_class,
    )


def _groups(page: PlanPage) -> Iterator[tuple[str, list[PlanSection]]]:
    for group, sections in groupby(page, key=lambda section: section.group):
        yield group, list(sections)


def css_class(line: str) -> str:
    """Return the class that colours a line by its sign."""
    return {"+": "add", "-": "remove", "~": "change"}.get(line.lstrip()[:1], "same")
