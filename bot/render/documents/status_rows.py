"""The cells of one environment's row, shared by the comment's table and the card."""

from __future__ import annotations

from bot.domain.chat import Status, TargetStatus
from bot.domain.run import Run
from bot.render.document import Bold, Code, Command, Link, Plain, Spans
from bot.render.documents.plan import counts, full_plan, summary_of
from bot.render.format import FAILED, commit_link, format_time
from bot.render.markup import join_spans


def environment_cell(row: TargetStatus) -> Spans:
    """The environment, linked if it is deployed and its address is known."""
    release = row.release
    url = release.url if release and release.url else row.environment.url
    for placeholder, value in (
        ("{pr}", str(row.pull or "")),
        ("{env}", row.target.environment),
        ("{stack}", row.target.stack),
        ("{instance}", row.target.instance),
    ):
        url = url.replace(placeholder, value)
    gone = row.instance is not None and not row.instance.exists
    deployed = release is not None and not gone and url and "{" not in url
    return (Bold(str(row.target)), Plain(" "), Link("open", url)) if deployed else (Bold(str(row.target)),)


def plan_cell(row: TargetStatus, status: Status) -> Spans:
    """What the plan changes, counted, with a link to all of it."""
    summary = summary_of(row.plan)
    applied = row.plan is not None and row.plan.status == "applied"
    if summary is None:
        return (Plain("–"),)
    return join_spans([counts(summary, done=applied), full_plan(row.plan, status.plans)])


def planned_cell(row: TargetStatus, status: Status) -> Spans:
    """The plan's commit and time."""
    if row.plan is None:
        return ()
    return (*commit_link(row.plan.commit, status.pull), Plain(f", {format_time(row.plan.created_at)}"))


def deployed_cell(row: TargetStatus, status: Status) -> Spans:
    """What is deployed, for a status without a pull request."""
    if row.release is None:
        return (Plain("nothing yet"),)
    number = (Plain(f"#{row.release.pull}"),) if row.release.pull else ()
    sha = commit_link(row.release.commit, status.pull) or (Code("?"),)
    return join_spans([sha, number, (Plain(format_time(row.release.created_at)),)], ", ")


def next_cell(row: TargetStatus) -> Spans:
    return (Command(row.next_step),) if row.next_step else ()


def run_to_explain(row: TargetStatus) -> Run | None:
    """Return the latest run of the pull request, if it failed or has a message."""
    run = row.run
    if run is None or (
        run.outcome not in FAILED and not (run.outcome in ("refused", "applied", "planned") and run.message)
    ):
        return None
    return run
