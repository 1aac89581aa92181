"""A check run per target and head: the readable plan, destroys and replacements first."""

from __future__ import annotations

import hashlib
from dataclasses import replace

from bot.domain.plan import PlanSummary
from bot.domain.ports.forge import CheckRun
from bot.domain.ports.surfaces import Surface
from bot.domain.results import Status, TargetStatus
from bot.domain.target import Target
from bot.render import surfaces as pages
from bot.services.context import Context
from bot.services.status import one
from bot.services.targets import GLANCE, readable_policy
from bot.surfaces.logs import tail

CONCLUSIONS = {
    "planned": "success",
    "applied": "success",
    "failed": "failure",
    "refused": "action_required",
    "cancelled": "cancelled",
    "superseded": "neutral",
    "interrupted": "failure",
    "timed_out": "timed_out",
}


def project(context: Context, surface: Surface) -> Surface:
    """Create or update the check of the run's commit; a new head gets a check of its own."""
    target = Target.from_key(surface.subject.rpartition("#")[0])
    check = current(context, surface)
    if check is None:
        return surface
    digest = hashlib.sha256(repr(check).encode()).hexdigest()
    if digest == surface.digest:
        return surface
    known = surface.external.get("head_sha") == check.head_sha
    check_id = surface.external.get("check_id") if known else None
    if check_id is None and known:  # its creation was tried, and the answer lost
        check_id = context.forge.find_check(surface.repository, check.head_sha, check.name)
    if not known:
        _leave(context, surface, target, check.head_sha)
        surface = replace(surface, external={"head_sha": check.head_sha})
        with context.store.begin() as tables:
            tables.surfaces.save(surface)
    made = context.forge.check(surface.repository, check, check_id)
    external = {"check_id": made, "head_sha": check.head_sha, "open": check.status != "completed"}
    return replace(surface, external=external, digest=digest)


def current(context: Context, surface: Surface) -> CheckRun | None:
    """The check as it should be now; None before there is a run, and where the policy does not name its environment."""
    target = Target.from_key(surface.subject.rpartition("#")[0])
    with context.store.read() as tables:
        pull = tables.pulls.get(surface.repository, surface.pull)
    policy = readable_policy(context, surface.repository, GLANCE)
    if pull is None or policy is None or target.environment not in policy.environments:
        return None
    row = one(context, target, policy, pull)
    links = {row.run.id: context.link(row.run.id)} if row.run else {}
    return build(context, row, Status(surface.repository, (row,), pull, now=context.now(), links=links))


def _leave(context: Context, surface: Surface, target: Target, head: str) -> None:
    """The check of the head before: one that nobody completes is shown as running for ever."""
    if surface.external.get("open") and "check_id" in surface.external:
        said = f"Replaced: {head[:7]} was pushed meanwhile."
        sha, title = str(surface.external["head_sha"]), f"{target}: replaced by a newer commit"
        left = CheckRun(name_of(target), sha, "completed", "neutral", title, said)
        context.forge.check(surface.repository, left, int(surface.external["check_id"]))


def name_of(target: Target) -> str:
    """`towpath/staging`, or `towpath/staging/network` where the stack is named."""
    return f"towpath/{target.environment}" + ("" if target.stack == "infra" else f"/{target.stack}")


def build(context: Context, row: TargetStatus, status: Status) -> CheckRun | None:
    """The check that shows a target's newest run; None before there is one."""
    run = row.run
    if run is None:
        return None
    plan = (
        PlanSummary.from_dict(row.plan.summary)
        if row.plan and row.plan.run_id in (run.id, run.plan_id)
        else None
    )
    title, summary, text = pages.check(row, plan, status=status, log=tail(context, run))
    conclusion = CONCLUSIONS[run.outcome] if run.outcome else None
    return CheckRun(
        name=name_of(row.target),
        head_sha=status.pull.head_sha if run.reverts and status.pull else run.commit,
        status="completed" if conclusion else "queued" if run.phase == "queued" else "in_progress",
        conclusion=conclusion,  # type: ignore[arg-type]
        title=title,
        summary=summary,
        text=text,
        details_url=context.link(run.id),
        external_id=run.id,
    )
