"""A check run for each target and commit: the plan, destroys and replacements first."""

from __future__ import annotations

import hashlib
from dataclasses import replace

from bot.domain.chat import Status, TargetStatus
from bot.domain.plans import PlanSummary
from bot.domain.ports.forge import CheckRun, Conclusion
from bot.domain.ports.surface_json import PostedContent
from bot.domain.ports.surfaces import Surface
from bot.domain.run import Plan
from bot.domain.target import Target
from bot.render import surfaces as render
from bot.services.context import Context
from bot.services.pulls import new_provider_warnings, target_status
from bot.services.targets import GLANCE, readable_policy
from bot.surfaces.annotations import annotate, without_others
from bot.surfaces.log_tail import log_tail
from bot.surfaces.publication import publish, unpublished

CONCLUSIONS: dict[str, Conclusion] = {
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
    """Create or update the check on the run's commit; a new commit gets a new check."""
    target = Target.from_key(surface.subject.rpartition("#")[0])
    status = _status(context, surface)
    check = build(context, status.targets[0], status) if status else None
    if status is None or check is None:
        return surface
    # a commit status has no room for a plan
    plans = unpublished([shown_plan(status.targets[0])]) if context.forge.checks else ()
    digest = hashlib.sha256(repr(check).encode()).hexdigest()
    if digest == surface.digest and not plans:
        return surface
    known = surface.external.get("head_sha") == check.head_sha
    if known:
        surface = without_others(context, surface, check)
    check_id = surface.external.get("check_id") if known else None
    if check_id is None and known:  # it was created, but the response was lost
        found = context.forge.find_check(surface.repository, check.head_sha, check.name)
        check_id = found if found != surface.external.get("replaced") else None
    if not known:
        _supersede(context, surface, target, check.head_sha)
        surface = replace(surface, external=PostedContent(head_sha=check.head_sha))
        with context.store.begin() as tables:
            tables.surfaces.save(surface)
    surface, check = annotate(context, surface, check, check_id)
    created = context.forge.check(surface.repository, check, check_id)
    publish(context, plans, created.at)
    external: PostedContent = {
        "check_id": created.id,
        "head_sha": check.head_sha,
        "open": check.status != "completed",
    }
    if annotated := surface.external.get("annotating") or surface.external.get("annotated"):
        external["annotated"] = annotated
    return replace(surface, external=external, digest=digest)


def current_check(context: Context, surface: Surface) -> CheckRun | None:
    """Return the check as it should be now; None before the first run, and if the policy does not name its environment."""
    status = _status(context, surface)
    return build(context, status.targets[0], status) if status else None


def _status(context: Context, surface: Surface) -> Status | None:
    """Return the status of the one target that the check is about; None before its first run."""
    target = Target.from_key(surface.subject.rpartition("#")[0])
    with context.store.read() as tables:
        pull = tables.pulls.get(surface.repository, surface.pull)
    policy = readable_policy(context, surface.repository, GLANCE)
    if pull is None or policy is None or target.environment not in policy.environments:
        return None
    row = target_status(context, target, policy, pull)
    if row.run is None:
        return None
    links = {row.run.id: context.link(row.run.id)}
    stack = policy.stacks.get(target.stack)
    warnings = new_provider_warnings(context, pull, policy, [stack] if stack else [], [row.plan])
    pages = {row.plan.id: context.plan_page(row.plan)} if row.plan else {}
    return Status(
        surface.repository,
        (row,),
        pull,
        now=context.now(),
        links=links,
        plans=pages,
        warnings=warnings,
    )


def shown_plan(row: TargetStatus) -> Plan | None:
    """Return the plan that a target's check shows: that of its latest run."""
    return row.plan if row.plan and row.run and row.plan.run_id in (row.run.id, row.run.plan_id) else None


def _supersede(context: Context, surface: Surface, target: Target, head: str) -> None:
    """Complete the check of the previous commit, which would otherwise be shown as running forever."""
    if surface.external.get("open") and "check_id" in surface.external:
        sha, title = surface.external["head_sha"], f"{target}: superseded by a newer commit"
        summary = f"Superseded: {head[:7]} was pushed."
        check = CheckRun(name_of(target), sha, "completed", "neutral", title, summary)
        context.forge.check(surface.repository, check, surface.external["check_id"])


def conclusion_of(row: TargetStatus) -> Conclusion | None:
    """Return the check's conclusion; None while something is still going on. An environment that verifies is done when
    everything is destroyed again, and its smoke checks decide."""
    run, instance, release = row.run, row.instance, row.own_release
    if run is None or run.outcome is None:
        return None
    if row.environment.on_pull_request == "verify" and instance is not None:
        applies_soon = run.outcome == "planned" and instance.wanted == "up" and not instance.note
        if applies_soon or (instance.exists and not instance.leaked):
            return None
        if instance.leaked or (run.outcome == "applied" and not (release and release.verified)):
            return "failure"
    return CONCLUSIONS[run.outcome]


def name_of(target: Target) -> str:
    """Return the check's name: `towpath/staging`, or `towpath/staging/network` if the stack is named."""
    return "/".join(part for part in ("towpath", target.environment, target.named_stack) if part)


def build(context: Context, row: TargetStatus, status: Status) -> CheckRun | None:
    """Return the check that shows a target's latest run; None before the first one."""
    run = row.run
    if run is None:
        return None
    shown = shown_plan(row)
    plan = PlanSummary.from_dict(shown.summary) if shown else None
    title, summary, text = render.check(row, plan, status=status, log=log_tail(context, run))
    conclusion = conclusion_of(row)
    return CheckRun(
        name=name_of(row.target),
        head_sha=status.pull.head_sha if run.reverts and status.pull else run.commit,
        status="completed" if conclusion else "queued" if run.phase == "queued" else "in_progress",
        conclusion=conclusion,
        title=title,
        summary=summary,
        text=text,
        details_url=context.link(run.id),
        external_id=run.id,
    )
