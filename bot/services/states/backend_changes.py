"""Notes on a pull request that changes where states are stored, so that people know before they merge it."""

from __future__ import annotations

import posixpath
import tempfile
from collections.abc import Mapping
from pathlib import Path

from bot.domain.policy import PATH, Policy, Stack
from bot.domain.ports.forge import PullRequest
from bot.domain.sanitize import outside
from bot.errors import UserError
from bot.services.context import Context
from bot.services.targets import CONFIGURATION, PullContext, policy_at

SHOWN = ("bucket", "key", "region", "workspace_key_prefix", "path", "address")
"""Settings that are shown; others may be secrets."""


def backend_change_notes(context: Context, pull_context: PullContext) -> list[str]:
    """Return a sentence for each stack whose backend the pull request changes, in the policy or in the configuration."""
    pull = pull_context.pull
    changed = context.git.changed(pull.repository, pull_context.base_tip, pull.head_sha)
    after = _policy(context, pull) if PATH in changed else None
    notes = (
        [_policy_note(pull_context.policy, after, stack) for stack in pull_context.policy.stacks.values()]
        if after
        else []
    )
    candidates = [path for path in changed if _may_declare(context, pull_context, path)]
    notes += [
        _block_note(context, pull_context, stack)
        for stack in pull_context.policy.stacks.values()
        if any(_is_configuration(path, stack.root) for path in candidates)
    ]
    return [note for note in notes if note]


def _may_declare(context: Context, pull_context: PullContext, path: str) -> bool:
    """Whether a changed file mentions a backend before or after. Reading all files of the stack would cost more."""
    pull = pull_context.pull
    if not path.endswith(CONFIGURATION[:4]):
        return False
    commits = [
        commit
        for commit in (pull_context.base_tip, pull.head_sha)
        if path in context.git.blobs(pull.repository, commit)
    ]
    contents = (context.git.read(pull.repository, commit, path) for commit in commits)
    return any(word in (content or b"") for content in contents for word in (b"backend", b"cloud"))


def _policy(context: Context, pull: PullRequest) -> Policy | None:
    try:
        return policy_at(context, pull.repository, pull.head_sha)
    except UserError:
        return None  # the note on the policy reports it


def _policy_note(before: Policy, after: Policy, stack: Stack) -> str:
    changed = after.stacks.get(stack.name)
    if changed is None:
        return (
            f"This pull request removes stack `{stack.name}` from the policy. Its states stay where they are."
        )
    keys = [
        env
        for env in before.environments
        if env in after.environments and before.key(stack.name, env) != after.key(stack.name, env)
    ]
    if changed.backend == stack.backend and not keys:
        return ""
    moved = f" (key in {', '.join(f'`{env}`' for env in keys)})" if keys else ""
    return (
        f"**This pull request changes where the states of `{stack.name}` are stored**{moved}. Before you merge it, an "
        "operator must move them with `towpath state migrate`; otherwise the next plan starts from an empty state."
    )


def _block_note(context: Context, pull_context: PullContext, stack: Stack) -> str:
    pull = pull_context.pull
    before = block_of(context, pull.repository, pull_context.base_tip, stack)
    after = block_of(context, pull.repository, pull.head_sha, stack)
    if before is None or after is None or before == after:
        return ""
    return (
        f"**This pull request changes the `backend` block of `{stack.name}`** (from {_describe(*before)} to "
        f"{_describe(*after)}). Towpath stores each environment's state where the policy says, and refuses a run whose "
        "`backend` block points elsewhere."
    )


def block_of(
    context: Context, repository: str, commit: str, stack: Stack
) -> tuple[str, Mapping[str, str]] | None:
    """Return the backend that a stack's files declare; None if they cannot be read, which its plan reports."""
    key = (repository, commit, stack.root)
    return context.caches.backends.get(key, lambda: _read(context, repository, commit, stack))


def _read(
    context: Context, repository: str, commit: str, stack: Stack
) -> tuple[str, Mapping[str, str]] | None:
    files = [name for name in context.git.files(repository, commit) if _is_configuration(name, stack.root)]
    with tempfile.TemporaryDirectory() as location:
        for name in files:
            content = context.git.read(repository, commit, name)
            (Path(location) / Path(name).name).write_bytes(content or b"")
        try:
            return context.terraform.backend_block(Path(location))
        except UserError:
            return None


def _describe(kind: str, settings: Mapping[str, str]) -> str:
    """Describe a backend without settings that may be secret."""
    shown = [f"`{name} = {outside(settings[name])}`" for name in SHOWN if name in settings]
    return (
        " ".join([f"`{outside(kind)}`", *(["with", ", ".join(shown)] if shown else [])]) if kind else "none"
    )


def _is_configuration(path: str, root: str) -> bool:
    """Whether a file belongs to the root module itself."""
    location = posixpath.dirname(path) or "."
    return path.endswith(CONFIGURATION[:4]) and location == posixpath.normpath(root)
