"""A check for each guarded environment, fit to be required: may this pull request's head go there, and why not yet.

It is on the head of every open pull request, and waits for nothing that itself waits for it: nothing of ours requires
checks. Where nothing of the environment is left to do, it succeeds.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from bot.domain.policy import PATH
from bot.domain.policy_file import PolicyError
from bot.domain.ports.forge import CheckRun, Conclusion, PullRequest
from bot.domain.ports.surfaces import Surface
from bot.domain.results import Status
from bot.render import surfaces as pages
from bot.render.documents.gate import Stand, worst
from bot.services.context import Context
from bot.services.following import GATE
from bot.services.status import of_pull
from bot.services.targets import GLANCE, base_tip, default_policy
from bot.surfaces.posting import keep, post

CONCLUSIONS: dict[Stand, Conclusion | None] = {
    "clear": "success",
    "applying": None,
    "broken": "failure",
    "barred": "action_required",
}


@dataclass(frozen=True)
class Named:
    """A gate's check by its environment alone, where the policy says nothing of it (any more)."""

    environment: str
    conclusion: Conclusion
    title: str


def project(context: Context, surface: Surface) -> Surface:
    """Create or update the checks of the head; a new head gets its own. Of a pull request that is over, only what was
    left in progress is brought to its end."""
    with context.store.read() as tables:
        pull = tables.pulls.get(surface.repository, surface.pull)
    if pull is None:
        return surface
    over = pull.state != "open"
    if over and not any(one["open"] for one in surface.external.get("checks", {}).values()):
        return surface
    wanted = current(context, surface, pull)
    if surface.external.get("head_sha") != pull.head_sha:
        surface = _leave(context, surface, pull.head_sha)
    for check in wanted:
        if not over or surface.external["checks"].get(check.name, {"open": False})["open"]:
            surface = post(context, surface, check)
    return keep(context, surface, names=sorted({*_names(surface), *surface.external["checks"]}))


def current(context: Context, surface: Surface, pull: PullRequest) -> list[CheckRun]:
    """The checks as they should be at the pull request's head now."""
    try:
        policy = default_policy(context, pull.repository, GLANCE)
    except PolicyError as error:
        return [_named(pull, one, error.what) for one in _unread(context, surface, pull)]
    guarded = policy.guarded if policy else []
    status = of_pull(context, pull) if guarded else None
    checks = [_check(context, status, pull, name) for name in guarded if status is not None]
    gone = [name.removeprefix(GATE) for name in _names(surface)]
    return checks + [
        _named(
            pull, Named(name, "neutral", f"{name}: no rule guards it any more"), f"By `{PATH}`, as it is now."
        )
        for name in gone
        if name not in guarded
    ]


def _check(context: Context, status: Status, pull: PullRequest, environment: str) -> CheckRun:
    rows = tuple(row for row in status.targets if row.target.environment == environment)
    stand = worst(rows, pull.head_sha)
    conclusion = CONCLUSIONS[stand]
    title, summary = pages.gate(environment, rows, status)
    run = next((run for row in rows for run in (row.busy, row.run) if run and run.pull == pull.number), None)
    return CheckRun(
        name=GATE + environment,
        head_sha=pull.head_sha,
        status="completed" if conclusion else "in_progress",
        conclusion=conclusion,
        title=title,
        summary=summary,
        details_url=context.link(run.id) if run else pull.url,
    )


def _unread(context: Context, surface: Surface, pull: PullRequest) -> Sequence[Named]:
    """While the policy cannot be read nothing may go anywhere; but what mends it is not in its own way."""
    tip = base_tip(context, pull, GLANCE)
    mends = PATH in context.git.changed(pull.repository, tip, pull.head_sha)
    names = [name.removeprefix(GATE) for name in _names(surface)]
    if mends:
        return [
            Named(name, "neutral", f"{name}: the policy cannot be read; this changes it") for name in names
        ]
    return [Named(name, "action_required", f"{name}: the policy cannot be read") for name in names]


def _named(pull: PullRequest, one: Named, said: str) -> CheckRun:
    name, url = GATE + one.environment, pull.url
    return CheckRun(name, pull.head_sha, "completed", one.conclusion, one.title, said, details_url=url)


def _names(surface: Surface) -> list[str]:
    """The checks that this pull request has, or had at an earlier head."""
    return list(surface.external.get("names", ()))


def _leave(context: Context, surface: Surface, head: str) -> Surface:
    """The head before: a check that nobody completes is shown as running for ever."""
    for name, have in surface.external.get("checks", {}).items():
        if have["open"] and have["id"]:
            title = f"{name.removeprefix(GATE)}: replaced by a newer commit"
            said, sha = f"Replaced: {head[:7]} was pushed meanwhile.", str(surface.external["head_sha"])
            left = CheckRun(name, sha, "completed", "neutral", title, said)
            context.forge.check(surface.repository, left, have["id"])
    return keep(context, surface, head_sha=head, checks={})
