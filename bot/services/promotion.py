"""Promotion: the previous stage, configuration digests, freeze windows, and who may cause a plan."""

from __future__ import annotations

from collections.abc import Iterable

from bot.domain.actors import Actor, reaches
from bot.domain.gates import Source
from bot.domain.policy import Frozen, Policy, configuration_digest, freeze_at
from bot.domain.ports.forge import PullRequest
from bot.domain.ports.store import Tables
from bot.domain.refusal import Refused
from bot.domain.target import Target, command
from bot.errors import UserError
from bot.services.authorship import authors_of
from bot.services.context import Context
from bot.services.targets import PullContext


def configuration_digest_of(
    context: Context, repository: str, commit: str, policy: Policy, stack: str
) -> str:
    """Return the stack's configuration digest at a commit in the mirror. It asks git, so never call it in a transaction."""

    def digest() -> str:
        blobs = context.git.blobs(repository, commit)
        modules = context.terraform.module_users(
            list(blobs), lambda path: context.git.read(repository, commit, path), [policy.stacks[stack].root]
        )
        return configuration_digest(policy, stack, blobs, modules)

    rules = repr((policy.stacks[stack], [policy.var_files(stack, name) for name in policy.environments]))
    return context.caches.configurations.get((repository, commit, stack, rules), digest)


def source_of(tables: Tables, policy: Policy, target: Target, pull: int) -> Source | None:
    """Return the current state of the stage that `target` is promoted from; None if there is none."""
    return sources_of(tables, policy, [target], pull).get(target)


def sources_of(tables: Tables, policy: Policy, targets: Iterable[Target], pull: int) -> dict[Target, Source]:
    """Return the source stages of several targets of one repository; those without one are left out."""
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
            drifted = f"its serial is now {now}, was {release.serial}" if version else "it was deleted"
        found[target] = Source(stage, release, busy.pull if busy else 0, drifted)
    return found


def frozen_now(context: Context, policy: Policy, target: Target) -> Frozen | None:
    """Return the freeze that forbids an apply now, if any."""
    return freeze_at(policy.environments[target.environment].windows, "apply", context.now())


def waits(context: Context, tables: Tables, policy: Policy, target: Target, pull: int) -> bool:
    """Whether an apply still waits for time to pass, judged from rows alone so that no platform is asked in vain."""
    source, soak = source_of(tables, policy, target, pull), policy.environments[target.environment].soak
    if frozen_now(context, policy, target):
        return True
    if source is None or source.release is None:
        return False
    release = source.release
    return (
        bool(source.applying_pull)
        or release.verification == "running"
        or context.now() < release.soaked_at(soak)
    )


def plans_frozen(context: Context, policy: Policy, target: Target, word: str) -> Refused | None:
    """Refuse plans during a freeze. word: the command to run when it is over."""
    now = freeze_at(policy.environments[target.environment].windows, "plan", context.now())
    if now is None:
        return None
    return Refused(
        "frozen",
        f"Plans for {target} are frozen {now.span} ({now.reason}).",
        f"Run `{command(word, target)}` then."
        if now.until
        else "To end it, change `freeze` in `envs/environments.toml`.",
    )


def may_plan(context: Context, pull_context: PullContext, target: Target, actor: Actor) -> Refused | None:
    """Refuse a plan that `actor` (by default the pull request's author) may not cause, since it runs the pull request's
    code with the environment's secrets; and any plan during a freeze."""
    pull = pull_context.pull
    environment = pull_context.policy.environments[target.environment]
    if refusal := plans_frozen(context, pull_context.policy, target, "plan"):
        return refusal
    login = actor.login or pull.author
    if environment.plan_needs == "maintain" and not reaches(
        context.forge.role(pull.repository, login), "maintain"
    ):
        return Refused(
            "permission",
            f"A plan for `{target.environment}` can read its secrets, so it needs the `maintain` role, which @{login} does "
            "not have.",
            f"Ask a maintainer to comment `{command('plan', target)}`.",
        )
    if environment.plan_needs == "approval":
        try:
            approved = _approved_head(context, pull, pull_context.base_tip)
        except UserError as error:
            return Refused("unreviewed", error.what, error.next_step)
        if not approved:
            return Refused(
                "unreviewed",
                f"A plan for `{target.environment}` can read its secrets, so somebody with `write` other than the authors of "
                f"#{pull.number} must approve `{pull.head_sha[:7]}` first.",
                f"Ask for a review on GitHub, then run `{command('plan', target)}`.",
            )
    return None


def _approved_head(context: Context, pull: PullRequest, base_tip: str) -> bool:
    """Whether somebody else with write approved exactly the latest commit, by their latest review."""
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
