"""A check for each guarded environment that can be required: whether this pull request can be applied there, or why not.

Every open pull request has it on its latest commit. It cannot cause a deadlock, since nothing of the bot's requires
checks. It succeeds when nothing is left to do in the environment. With it goes the check of exports, for pull requests that
concern them.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from bot.domain.chat import Status
from bot.domain.policy import PATH, PolicyError
from bot.domain.ports.forge import CheckRun, Conclusion, PullRequest
from bot.domain.ports.surfaces import Surface
from bot.domain.refusal import Refusal
from bot.render import surfaces as render
from bot.render.documents.gate_state import GateState, worst_state
from bot.services.context import Context
from bot.services.pulls import GATE_PREFIX, pull_status
from bot.services.targets import GLANCE, base_tip, default_policy
from bot.surfaces.check_runs import post, record_posted
from bot.surfaces.export_check import export_checks

CONCLUSIONS: dict[GateState, Conclusion | None] = {
    "done": "success",
    "applying": None,
    "failed": "failure",
    "blocked": "action_required",
}


@dataclass(frozen=True)
class UnguardedCheck:
    """The check of an environment that the policy does not guard (any more), or while the policy cannot be read."""

    environment: str
    conclusion: Conclusion
    title: str


def project(context: Context, surface: Surface) -> Surface:
    """Create or update the checks of the latest commit; a new commit gets new checks. For a closed pull request, only
    checks that are still in progress are completed."""
    with context.store.read() as tables:
        pull = tables.pulls.get(surface.repository, surface.pull)
    if pull is None:
        return surface
    closed = pull.state != "open"
    if closed and not any(one["open"] for one in surface.external.get("checks", {}).values()):
        return surface
    checks = current_checks(context, surface, pull)
    if surface.external.get("head_sha") != pull.head_sha:
        surface = _supersede(context, surface, pull.head_sha)
    for check in checks:
        known = surface.external["checks"].get(check.name)
        if not closed or (known is not None and known["open"]):
            surface = post(context, surface, check)
    names = sorted({*_names(surface), *surface.external["checks"]})
    return record_posted(context, surface, {"names": names})


def current_checks(context: Context, surface: Surface, pull: PullRequest) -> list[CheckRun]:
    """Return the checks as they should be on the pull request's latest commit."""
    return [*_gates(context, surface, pull), *export_checks(context, pull)]


def _gates(context: Context, surface: Surface, pull: PullRequest) -> list[CheckRun]:
    try:
        policy = default_policy(context, pull.repository, GLANCE)
    except PolicyError as error:
        return [_check_run(pull, one, error.what) for one in _unreadable(context, surface, pull)]
    guarded = policy.guarded if policy else []
    status = pull_status(context, pull) if guarded else None
    checks = [_check(context, status, pull, name) for name in guarded if status is not None]
    posted = [name.removeprefix(GATE_PREFIX) for name in _names(surface)]
    removed = [
        UnguardedCheck(name, "neutral", f"{name}: no longer guarded")
        for name in posted
        if name not in guarded
    ]
    summary = f"`{PATH}` no longer has rules for this environment."
    return checks + [_check_run(pull, one, summary) for one in removed]


def _check(context: Context, status: Status, pull: PullRequest, environment: str) -> CheckRun:
    rows = tuple(row for row in status.targets if row.target.environment == environment)
    conclusion = "action_required" if status.unread else CONCLUSIONS[worst_state(rows, pull.head_sha)]
    title, summary = render.gate(environment, rows, status)
    runs = (run for row in rows for run in (row.active_run, row.run))
    run = next((run for run in runs if run and run.pull == pull.number), None)
    return CheckRun(
        name=GATE_PREFIX + environment,
        head_sha=pull.head_sha,
        status="completed" if conclusion else "in_progress",
        conclusion=conclusion,
        title=title,
        summary=summary,
        details_url=context.link(run.id) if run else pull.url,
    )


def _unreadable(context: Context, surface: Surface, pull: PullRequest) -> Sequence[UnguardedCheck]:
    """Return the checks while the policy cannot be read: they block everything except a change of the policy itself."""
    changes_policy = _changes_policy(context, pull)
    conclusion: Conclusion = "neutral" if changes_policy else "action_required"
    more = "; this pull request changes it" if changes_policy else ""
    names = [name.removeprefix(GATE_PREFIX) for name in _names(surface)]
    return [UnguardedCheck(name, conclusion, f"{name}: the policy cannot be read{more}") for name in names]


def _changes_policy(context: Context, pull: PullRequest) -> bool:
    """Whether the pull request changes the policy; not of a commit that is not read."""
    try:
        tip = base_tip(context, pull, GLANCE)
        return PATH in context.git.changed(pull.repository, tip, pull.head_sha)
    except Refusal:
        return False


def _check_run(pull: PullRequest, one: UnguardedCheck, summary: str) -> CheckRun:
    name, url = GATE_PREFIX + one.environment, pull.url
    return CheckRun(name, pull.head_sha, "completed", one.conclusion, one.title, summary, details_url=url)


def _names(surface: Surface) -> list[str]:
    """Return the gates' checks that this pull request has, or had on an earlier commit."""
    return [name for name in surface.external.get("names", ()) if name.startswith(GATE_PREFIX)]


def _supersede(context: Context, surface: Surface, head: str) -> Surface:
    """Complete the checks of the previous commit, which would otherwise be shown as running forever."""
    for name, known in surface.external.get("checks", {}).items():
        if known["open"] and known["id"]:
            title = f"{name.removeprefix(GATE_PREFIX)}: superseded by a newer commit"
            summary = f"Superseded: {head[:7]} was pushed."
            sha = surface.external["head_sha"]
            check = CheckRun(name, sha, "completed", "neutral", title, summary)
            context.forge.check(surface.repository, check, known["id"])
    return record_posted(context, surface, {"head_sha": head, "checks": {}})
