"""Warn of providers that a pull request adds: a plan runs them with the environment's secrets."""

from __future__ import annotations

from collections.abc import Iterable

from bot.domain.policy import Policy, Stack
from bot.domain.ports.forge import PullRequest
from bot.domain.ports.terraform import ProviderUse
from bot.domain.run import Plan
from bot.domain.sanitize import outside
from bot.errors import UserError
from bot.services.context import Context
from bot.services.targets import GLANCE, tip_of

MOST = 5
"""Providers that are named; the others are counted."""
LOCK_FILE = ".terraform.lock.hcl"
PUBLIC = frozenset(["registry.terraform.io", "registry.opentofu.org"])
"""Registries that need no remark of their own."""


def new_provider_warnings(
    context: Context,
    pull: PullRequest,
    policy: Policy,
    stacks: Iterable[Stack],
    plans: Iterable[Plan | None] = (),
) -> tuple[str, ...]:
    """Return one sentence for each provider that these stacks use at the latest commit and no stack on the default branch.

    plans: the latest plans, for the providers of modules that they downloaded. Call it outside of transactions: it asks git.
    """
    if pull.state != "open":
        return ()
    branch = context.known(pull.repository).default_branch
    tip = tip_of(context, pull.repository, branch, GLANCE)
    known = {
        use.source
        for stack in policy.stacks.values()
        for use in _known(context, pull.repository, tip, stack.root)
    }
    try:
        uses = {
            use.source: use
            for stack in stacks
            for use in _uses(context, pull.repository, pull.head_sha, stack.root)
        }
    except UserError as error:
        return (f"The providers of this pull request could not be read: {error.what}",)
    downloaded = _downloaded(context, pull, policy, tip, plans)
    added = [use for source, use in (downloaded | uses).items() if source not in known]
    registries = {source.split("/", 1)[0] for source in known} | PUBLIC
    sentences = [_sentence(use, branch, registries) for use in added[:MOST]]
    if len(added) > MOST:
        sentences.append(f"This pull request adds {len(added) - MOST} more providers.")
    return tuple(sentences)


def _known(context: Context, repository: str, commit: str, root: str) -> tuple[ProviderUse, ...]:
    """Return what the default branch uses; nothing that cannot be read, so that everything counts as new."""
    try:
        return _uses(context, repository, commit, root)
    except UserError:
        return ()


def _uses(context: Context, repository: str, commit: str, root: str) -> tuple[ProviderUse, ...]:
    def read() -> tuple[ProviderUse, ...]:
        files = context.git.files(repository, commit)
        return context.terraform.providers(
            files, lambda path: context.git.read(repository, commit, path), root
        )

    return context.caches.providers.get((repository, commit, root), read)


def _downloaded(
    context: Context, pull: PullRequest, policy: Policy, tip: str, plans: Iterable[Plan | None]
) -> dict[str, ProviderUse]:
    """Return what plans of the latest commit installed. Without a lock file on the default branch it is not known what the
    modules there use, so nothing can be called new."""
    found: dict[str, ProviderUse] = {}
    for plan in plans:
        if (
            plan is None
            or plan.reverts
            or plan.commit != pull.head_sha
            or plan.target.stack not in policy.stacks
        ):
            continue
        root = policy.stacks[plan.target.stack].root
        if context.git.read(pull.repository, tip, f"{root}/{LOCK_FILE}" if root != "." else LOCK_FILE):
            for source in plan.summary.get("providers", ()):
                found[source] = ProviderUse(source, "a downloaded module")
    return found


def _sentence(use: ProviderUse, branch: str, registries: set[str]) -> str:
    where = f"`{outside(use.place)}`" if use.line else outside(use.place)
    new = "" if use.registry in registries else f", a registry that `{outside(branch)}` does not use"
    return f"This pull request adds the provider `{outside(use.name)}` from `{outside(use.registry)}`{new} ({where})."
