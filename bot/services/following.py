"""What the bot does of itself when a pull request or a branch changes."""

from __future__ import annotations

from collections.abc import Sequence

import structlog

from bot.domain.answers import Refused
from bot.domain.people import SYSTEM, Actor
from bot.domain.policy import PATH
from bot.domain.policy_file import PolicyError
from bot.domain.ports.forge import PullRequest
from bot.domain.ports.store import Tables
from bot.domain.ports.surfaces import Surface
from bot.domain.requests import CheckAgain, PullChanged, Pushed, QueueAsked
from bot.domain.run import Origin
from bot.domain.target import Target
from bot.services import approving, locking, planning
from bot.services.context import Context, show, show_pull
from bot.services.ending import finish_in
from bot.services.promoting import may_plan
from bot.services.targets import GLANCE, automatic, base_tip, default_policy, ground, touched

log = structlog.get_logger()

GATE = "towpath/gate/"
"""How the names of the gates' checks begin; the environment's follows."""


def pull_changed(context: Context, event: PullChanged, delivery: str) -> None:
    """Plan what an open pull request touches; let go of everything when it is closed.

    The facts are asked of GitHub now, so deliveries may come late, twice or out of order: one head is planned once.
    """
    pull = context.refresh(event.repository, event.number)
    with context.store.begin() as tables:
        approving.moved(context, tables, pull)
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
    """Plan the environments that the policy plans by itself (or the one given), for the stacks that are touched.

    Without `again`, targets are left out where this head is planned or being planned already: one push may come as
    several events.
    """
    stand = ground(context, pull)
    if isinstance(stand, Refused):
        if stand.code == "policy" or (stand.code == "no-policy" and _adds_policy(context, pull)):
            _show(context, pull)
        return
    stacks = touched(context, pull, stand)
    if not stacks:
        if known_surface(context, pull):
            _show(context, pull)
        return
    if pull.from_fork:
        with context.store.read() as tables:
            trusted = tables.pulls.trusted(pull.repository, pull.number, pull.head_sha)
        if not trusted:
            _show(context, pull)
            return
    targets = [
        stand.policy.target(pull.repository, stack.name, env.name, pull.number)
        for stack in stacks
        for env in automatic(stand.policy, stack)
        if not environment or env.name == environment
    ]
    targets = [one for one in targets if may_plan(context, pull, stand, one, SYSTEM) is None]
    if not again:
        targets = _unplanned(context, pull, targets)
    _show(context, pull)
    planning.request(context, pull, targets, stand.base_tip, SYSTEM, Origin(delivery=seed), seed)


def closed(context: Context, pull: PullRequest) -> None:
    """Stop its plans, discard them, release its locks, tell who waits."""
    with context.store.begin() as tables:
        for run in tables.runs.active(repository=pull.repository, pull=pull.number, kind="plan"):
            if run.reverts:
                continue  # asked for in a pull request whatever has become of it
            if run.phase == "queued":
                finish_in(context, tables, run, "superseded", message=f"#{pull.number} is {pull.state}.")
            else:
                tables.runs.update(run.id, superseded_by=pull.state)
        for run in tables.runs.active(repository=pull.repository, pull=pull.number, kind="apply"):
            if run.phase == "queued" and not run.reverts:
                finish_in(context, tables, run, "refused", message=f"#{pull.number} is {pull.state}.")
        _show_known(context, tables, pull)
    locking.release_of_pull(context, pull.repository, pull.number, pull.state)
    context.poke()


def pushed(context: Context, event: Pushed) -> None:
    """The default branch moved: the policy may be another, and plans may be behind it. Show that everywhere."""
    known = context.known(event.repository)
    if event.ref != f"refs/heads/{known.default_branch}" or set(event.after) == {"0"}:
        return
    policy = default_policy(context, event.repository)
    with context.store.begin() as tables:
        for pull in tables.pulls.open(event.repository):
            _show_known(context, tables, pull)
            if policy is not None and policy.guarded:
                _want_gate(context, tables, pull)
    context.poke()


def check_again(context: Context, event: CheckAgain) -> None:
    """ "Re-run" at a check plans that environment again, for those who may plan."""
    with context.store.read() as tables:
        pulls = [pull for pull in tables.pulls.open(event.repository) if pull.head_sha == event.head_sha]
    for pull in pulls:
        if event.name.startswith(GATE):
            _show_gates(context, pull)
            continue
        environment = event.name.removeprefix("towpath/").split("/")[0]
        plan_automatically(context, pull, event.origin.delivery, environment=environment)


def queued(context: Context, event: QueueAsked) -> None:
    """The merge queue waits for our checks on a commit of its own: show there what its pull requests' checks say.

    Deliveries may come out of order: what the queue tries on top of this group is shown anew too.
    """
    context.refresh(event.repository, event.number)
    with context.store.begin() as tables:
        for other in tables.surfaces.of_pull(event.repository, 0, "queue"):
            if other.wanted["base_sha"] == event.head_sha:
                show(tables, context.now(), "queue", other.subject, event.repository, 0)
        subject = f"{event.repository}@{event.head_sha}"
        wanted = {"head_sha": event.head_sha, "base_sha": event.base_sha, "number": event.number}
        tables.surfaces.want(
            Surface(
                f"queue:{subject}", "queue", subject, event.repository, wanted=wanted, due_at=context.now()
            )
        )
    context.poke()


def trust(context: Context, pull: PullRequest, actor: Actor) -> None:
    """Somebody with write has read this head of a fork and lets it be planned."""
    with context.store.begin() as tables:
        tables.pulls.trust(pull.repository, pull.number, pull.head_sha, actor.login)


def known_surface(context: Context, pull: PullRequest) -> bool:
    """Whether this pull request has a status comment, so that it should be kept true."""
    with context.store.read() as tables:
        return tables.surfaces.get(f"status:{pull.repository}#{pull.number}") is not None


def _unplanned(context: Context, pull: PullRequest, targets: Sequence[Target]) -> list[Target]:
    """Those where this head is neither planned nor being planned."""
    with context.store.read() as tables:
        active = tables.runs.active(repository=pull.repository, pull=pull.number, kind="plan")
        newest = tables.plans.newest_of(targets, pull.number)

    def planned(target: Target) -> bool:
        going = {run.commit for run in active if run.target == target and not run.superseded_by}
        if going:  # one of another head would replace what stands: a new one must replace it in turn
            return going == {pull.head_sha}
        plan = newest.get(target)
        return plan is not None and plan.commit == pull.head_sha and plan.status != "superseded"

    return [target for target in targets if not planned(target)]


def _adds_policy(context: Context, pull: PullRequest) -> bool:
    tip = base_tip(context, pull)
    return PATH in context.git.changed(pull.repository, tip, pull.head_sha)


def _show(context: Context, pull: PullRequest) -> None:
    with context.store.begin() as tables:
        show_pull(tables, context.now(), pull.repository, pull.number)
    context.poke()


def _show_gates(context: Context, pull: PullRequest) -> None:
    """The gates' checks may be required, so they are at every open head, whatever it changes."""
    try:
        policy = default_policy(context, pull.repository, GLANCE)
        guards = policy is not None and bool(policy.guarded)
    except PolicyError:
        guards = True  # what was guarded before stays so
    if not guards:
        return
    with context.store.begin() as tables:
        _want_gate(context, tables, pull)
    context.poke()


def _want_gate(context: Context, tables: Tables, pull: PullRequest) -> None:
    subject = f"{pull.repository}#{pull.number}"
    show(tables, context.now(), "gate", subject, pull.repository, pull.number)


def _show_known(context: Context, tables: Tables, pull: PullRequest) -> None:
    """Refresh what is there; a pull request that never had a comment of ours gets none now."""
    for surface in tables.surfaces.of_pull(pull.repository, pull.number):
        if surface.kind in ("status", "card", "check", "gate"):
            show(tables, context.now(), surface.kind, surface.subject, pull.repository, pull.number)
