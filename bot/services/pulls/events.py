"""What the bot does by itself when a pull request or a branch changes."""

from __future__ import annotations

from collections.abc import Sequence

import structlog

from bot.domain.actors import SYSTEM, Actor
from bot.domain.chat import CheckRerequested, MergeGroupRequested, PullChanged, Pushed
from bot.domain.policy import PATH, PolicyError
from bot.domain.ports.forge import ForgeError, PullRequest
from bot.domain.ports.store import Tables
from bot.domain.ports.surface_json import WantedContent
from bot.domain.ports.surfaces import Surface
from bot.domain.refusal import Refusal
from bot.domain.run import Origin
from bot.domain.target import Target
from bot.services.approvals import end_outdated_approvals, void_pushers
from bot.services.authorship import pulls_from
from bot.services.context import Context, SurfaceKey, show, show_pull
from bot.services.exports import EXPORT_CHECK, check_pull
from bot.services.locks import release_of_pull
from bot.services.plans import PlanRequest, request_plans
from bot.services.previews import dismiss_instances, reconcile_instance, switch_instances, want_instances
from bot.services.promotion import may_plan
from bot.services.runs import RunEnd, finish_in
from bot.services.sync import sync_merged
from bot.services.targets import (
    GLANCE,
    UNREAD,
    automatic_environments,
    base_tip,
    concerned_stacks,
    default_policy,
    load_pull_context,
)

log = structlog.get_logger()

GATE_PREFIX = "towpath/gate/"
"""Prefix of gate checks' names; the environment follows."""


def pull_changed(context: Context, event: PullChanged, delivery: str) -> None:
    """Plan what an open pull request touches; release everything when it is closed.

    The pull request is read from GitHub now, so deliveries may come late, twice or out of order: a commit is planned once.
    """
    if event.head_sha and event.at is not None:
        with context.store.begin() as tables:
            tables.pulls.saw_head(event.repository, event.number, event.head_sha, event.at)
    pull = context.refresh(event.repository, event.number)
    with context.store.begin() as tables:
        end_outdated_approvals(context, tables, pull)
    if event.pusher:
        void_pushers(context, pull)
    if pull.state != "open":
        closed(context, pull)
        return
    _show_gates(context, pull)
    if pull.draft:
        return
    plan_automatically(context, pull, delivery, again=event.action == "reopened")


def plan_automatically(
    context: Context, pull: PullRequest, seed: str, *, environment: str = "", again: bool = True
) -> None:
    """Plan the environments that the policy plans automatically (or the one given), for the touched stacks.

    Without `again`, targets whose latest commit is planned or being planned are left out: one push may arrive as
    several events.
    """
    try:
        pull_context = load_pull_context(context, pull)
        stacks = concerned_stacks(context, pull_context)
    except Refusal as refusal:
        shown = ("policy", *UNREAD)
        if refusal.code in shown or (refusal.code == "no-policy" and _adds_policy(context, pull)):
            _show(context, pull)
        return
    if not stacks:
        if known_surface(context, pull):
            _show(context, pull)
        return
    targets = [
        pull_context.policy.target(pull.repository, stack.name, env.name, pull.number)
        for stack in stacks
        for env in automatic_environments(pull_context.policy, stack)
        if not environment or env.name == environment
    ]
    targets = [one for one in targets if may_plan(context, pull_context, one, SYSTEM) is None]
    wanted = want_instances(context, pull, pull_context.policy, targets)
    if not again:
        targets = _unplanned(context, pull, targets)
    _show(context, pull)
    switch_instances(context, pull_context.policy, wanted)  # one that sleeps is woken before it is planned
    try:
        request_plans(context, PlanRequest(pull_context, tuple(targets), SYSTEM, Origin(delivery=seed), seed))
    except Refusal as refusal:  # the status says so
        log.info("not planned", repository=pull.repository, pull=pull.number, why=refusal.what)
        return
    for target in wanted:
        reconcile_instance(context, target)


def closed(context: Context, pull: PullRequest) -> None:
    """Stop a closed pull request's plans, release its locks, and notify those who wait."""
    with context.store.begin() as tables:
        active = tables.runs.active(repository=pull.repository, pull=pull.number)
        tables.locks.lock_targets(*(run.target for run in active))
        for run in tables.runs.active(repository=pull.repository, pull=pull.number, kind="plan"):
            if run.reverts:
                continue  # a revert may be requested in a closed pull request
            if run.phase == "queued":
                finish_in(
                    context, tables, run, RunEnd("superseded", message=f"#{pull.number} is {pull.state}.")
                )
            else:
                tables.runs.update(run.id, superseded_by=pull.state)
        for run in tables.runs.active(repository=pull.repository, pull=pull.number, kind="apply"):
            if run.phase == "queued" and not run.reverts and not run.sync:
                finish_in(context, tables, run, RunEnd("refused", message=f"#{pull.number} is {pull.state}."))
        _show_known(context, tables, pull)
    dismiss_instances(context, pull)
    release_of_pull(context, pull.repository, pull.number, pull.state)
    sync_merged(context, pull)


def pushed(context: Context, event: Pushed) -> None:
    """Refresh all surfaces after a push to the default branch: the policy may have changed, and plans may be outdated.
    After a push to another one, void approvals by who pushed."""
    known = context.known(event.repository)
    if event.ref != f"refs/heads/{known.default_branch}":
        with context.store.read() as tables:
            pulls = pulls_from(tables, event)
        for pull in pulls:
            void_pushers(context, pull)
        return
    policy = default_policy(context, event.repository)
    with context.store.begin() as tables:
        for pull in tables.pulls.open(event.repository):
            _show_known(context, tables, pull)
            if policy is not None and policy.guarded:
                _want_gate(context, tables, pull)


def confirm_repositories(context: Context) -> None:
    """Ask GitHub about all known repositories: a default branch may be renamed while nothing else happens there."""
    with context.store.read() as tables:
        names = [repository.name for repository in tables.pulls.repositories()]
    for name in names:
        try:
            context.confirm(name)
        except ForgeError as error:
            log.info("repository not confirmed", repository=name, status=error.status, error=str(error)[:200])


def check_rerequested(context: Context, event: CheckRerequested) -> None:
    """Plan an environment again after "Re-run" on its check, for those who may plan."""
    with context.store.read() as tables:
        pulls = [pull for pull in tables.pulls.open(event.repository) if pull.head_sha == event.head_sha]
    for pull in pulls:
        if event.name.startswith((GATE_PREFIX, EXPORT_CHECK)):
            _show_gates(context, pull)
            continue
        environment = event.name.removeprefix("towpath/").split("/")[0]
        plan_automatically(context, pull, event.origin.delivery, environment=environment)


def merge_group_requested(context: Context, event: MergeGroupRequested) -> None:
    """Show the checks of a merge group's pull requests on the group's own commit, where the merge queue waits for them.

    Deliveries may come out of order, so groups on top of this one are refreshed too.
    """
    context.refresh(event.repository, event.number)
    with context.store.begin() as tables:
        for other in tables.surfaces.of_pull(event.repository, 0, "queue"):
            if other.wanted["base_sha"] == event.head_sha:
                show(tables, context.now(), SurfaceKey("queue", other.subject, event.repository, 0))
        subject = f"{event.repository}@{event.head_sha}"
        wanted: WantedContent = {
            "head_sha": event.head_sha,
            "base_sha": event.base_sha,
            "number": event.number,
        }
        tables.surfaces.want(
            Surface(
                f"queue:{subject}", "queue", subject, event.repository, wanted=wanted, due_at=context.now()
            )
        )


def trust_fork(context: Context, pull: PullRequest, actor: Actor) -> None:
    """Record that somebody with write has read this commit of a fork, and allows reading and planning it."""
    with context.store.begin() as tables:
        tables.pulls.trust(pull.repository, pull.number, pull.head_sha, actor.login)
        show_pull(tables, context.now(), pull.repository, pull.number)


def known_surface(context: Context, pull: PullRequest) -> bool:
    """Whether this pull request has a status comment that must be kept up to date."""
    with context.store.read() as tables:
        return tables.surfaces.get(f"status:{pull.repository}#{pull.number}") is not None


def _unplanned(context: Context, pull: PullRequest, targets: Sequence[Target]) -> list[Target]:
    """Return the targets whose latest commit is neither planned nor being planned."""
    with context.store.read() as tables:
        active = tables.runs.active(repository=pull.repository, pull=pull.number, kind="plan")
        newest = tables.plans.newest_of(targets, pull.number)

    def planned(target: Target) -> bool:
        going = {run.commit for run in active if run.target == target and not run.superseded_by}
        if going:  # a run of another commit would replace the current plan, so it must be superseded
            return going == {pull.head_sha}
        plan = newest.get(target)
        return plan is not None and plan.commit == pull.head_sha and plan.status != "superseded"

    return [target for target in targets if not planned(target)]


def _adds_policy(context: Context, pull: PullRequest) -> bool:
    """Whether it adds a policy file; not of a commit that is not read."""
    try:
        tip = base_tip(context, pull)
        return PATH in context.git.changed(pull.repository, tip, pull.head_sha)
    except Refusal:
        return False


def _show(context: Context, pull: PullRequest) -> None:
    with context.store.begin() as tables:
        show_pull(tables, context.now(), pull.repository, pull.number)


def _show_gates(context: Context, pull: PullRequest) -> None:
    """Mark gate checks as due: they may be required, so every open pull request has them, whatever it changes. Without gates,
    one that concerns exports has the check of those."""
    try:
        policy = default_policy(context, pull.repository, GLANCE)
        guards = policy is not None and bool(policy.guarded)
    except PolicyError:
        guards = True  # what was guarded before stays guarded
    if not guards and check_pull(context, pull) is None:
        return
    with context.store.begin() as tables:
        _want_gate(context, tables, pull)


def _want_gate(context: Context, tables: Tables, pull: PullRequest) -> None:
    subject = f"{pull.repository}#{pull.number}"
    show(tables, context.now(), SurfaceKey("gate", subject, pull.repository, pull.number))


def _show_known(context: Context, tables: Tables, pull: PullRequest) -> None:
    """Mark existing surfaces as due; a pull request without a status comment gets none."""
    for surface in tables.surfaces.of_pull(pull.repository, pull.number):
        if surface.kind in ("status", "card", "check", "gate"):
            show(
                tables, context.now(), SurfaceKey(surface.kind, surface.subject, pull.repository, pull.number)
            )
