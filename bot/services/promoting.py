"""What stands before a guarded environment: the stage before it, its configuration, its freeze windows."""

from __future__ import annotations

from collections.abc import Iterable

from bot.domain.answers import Refused
from bot.domain.configuration import configuration
from bot.domain.freeze import Frozen, frozen
from bot.domain.gates import Source, command
from bot.domain.people import Actor, reaches
from bot.domain.policy import Policy
from bot.domain.ports.forge import PullRequest
from bot.domain.ports.store import Tables
from bot.domain.target import Target
from bot.errors import UserError
from bot.services.authors import authors_of
from bot.services.context import Context
from bot.services.targets import Ground

MOST = 4096
"""Digests that are kept: a commit's never changes."""

_digests: dict[tuple[str, str, str, str], str] = {}


def configuration_of(context: Context, repository: str, commit: str, policy: Policy, stack: str) -> str:
    """The stack's configuration digest at a commit that is in the mirror. Not for use in a transaction: it asks git."""
    rules = repr((policy.stacks[stack], [policy.var_files(stack, name) for name in policy.environments]))
    key = (repository, commit, stack, rules)
    if known := _digests.get(key):
        return known
    blobs = context.git.blobs(repository, commit)
    modules = context.terraform.module_users(
        list(blobs), lambda path: context.git.read(repository, commit, path), [policy.stacks[stack].root]
    )
    if len(_digests) >= MOST:
        _digests.clear()
    _digests[key] = configuration(policy, stack, blobs, modules)
    return _digests[key]


def source_of(tables: Tables, policy: Policy, target: Target, pull: int) -> Source | None:
    """The stage that `target` is promoted from, as it stands now; None where there is none."""
    return sources_of(tables, policy, [target], pull).get(target)


def sources_of(tables: Tables, policy: Policy, targets: Iterable[Target], pull: int) -> dict[Target, Source]:
    """The same of several targets of one repository at once, without those that are promoted from nowhere."""
    stages = {
        target: policy.target(target.repository, target.stack, before, pull)
        for target in targets
        if (before := policy.environments[target.environment].promote_from)
    }
    if not stages:
        return {}
    repository = next(iter(stages)).repository
    releases = tables.releases.newest_of(stages.values())
    applies = tables.runs.applies(repository)
    versions = tables.states.newest_of([stage.key for stage in stages.values()])
    found = {}
    for target, stage in stages.items():
        release, busy, version = releases.get(stage), applies.get(stage), versions.get(stage.key)
        now, drifted = version.serial if version else 0, ""
        if release is not None and busy is None and now != release.serial:
            drifted = f"its serial is {now}, and was {release.serial}" if version else "it was deleted"
        found[target] = Source(stage, release, busy.pull if busy else 0, drifted)
    return found


def frozen_now(context: Context, policy: Policy, target: Target) -> Frozen | None:
    """The freeze that forbids an apply there now."""
    return frozen(policy.environments[target.environment].windows, "apply", context.now())


def waits(context: Context, tables: Tables, policy: Policy, target: Target, pull: int) -> bool:
    """Whether only time stands before it: asked of rows alone, so that nobody else is asked in vain."""
    source, soak = source_of(tables, policy, target, pull), policy.environments[target.environment].soak
    if frozen_now(context, policy, target):
        return True
    if source is None or source.release is None:
        return False
    there = source.release
    return bool(source.busy) or there.verification == "running" or context.now() < there.soaked_at(soak)


def plans_frozen(context: Context, policy: Policy, target: Target, word: str) -> Refused | None:
    """The freeze that forbids plans there now. word: the command to use when it is over."""
    now = frozen(policy.environments[target.environment].windows, "plan", context.now())
    if now is None:
        return None
    return Refused(
        "frozen",
        f"Plans for {target} are frozen {now.span} ({now.reason}).",
        f"`{command(word, target)}` then."
        if now.until
        else "`freeze` in `envs/environments.toml` says when it opens.",
    )


def may_plan(
    context: Context, pull: PullRequest, stand: Ground, target: Target, actor: Actor
) -> Refused | None:
    """Whether `actor` (the pull request's author, where nobody asked) may cause a plan, which runs the pull request's
    code with the environment's secrets; and whether a freeze forbids it. None where all is well."""
    environment = stand.policy.environments[target.environment]
    if no := plans_frozen(context, stand.policy, target, "plan"):
        return no
    login = actor.login or pull.author
    if environment.plan_needs == "maintain" and not reaches(
        context.forge.role(pull.repository, login), "maintain"
    ):
        return Refused(
            "permission",
            f"A plan for `{target.environment}` sees its secrets, so it needs the `maintain` role; @{login} does not "
            "have it.",
            f"Ask a maintainer to comment `{command('plan', target)}`.",
        )
    if environment.plan_needs == "approval":
        try:
            approved = _approved_head(context, pull, stand.base_tip)
        except UserError as error:
            return Refused("unreviewed", error.what, error.next_step)
        if not approved:
            return Refused(
                "unreviewed",
                f"A plan for `{target.environment}` sees its secrets, so somebody with `write` who did not write "
                f"#{pull.number} must have approved `{pull.head_sha[:7]}` first.",
                f"Ask for a review on GitHub; then `{command('plan', target)}`.",
            )
    return None


def _approved_head(context: Context, pull: PullRequest, base_tip: str) -> bool:
    """Whether the newest word of somebody else with write, on this very head, is an approval."""
    own = authors_of(context, pull, base_tip)
    words = {
        review.author.lower(): review
        for review in context.forge.reviews(pull.repository, pull.number)
        if review.state in ("approved", "changes_requested", "dismissed") and not review.bot
    }
    return any(
        review.state == "approved"
        and review.commit == pull.head_sha
        and login not in own
        and reaches(context.forge.role(pull.repository, review.author), "write")
        for login, review in words.items()
    )
