"""A pull request that changes where states are kept: what that means is said before its merge."""

from __future__ import annotations

import posixpath
import tempfile
from collections.abc import Mapping
from pathlib import Path

from bot.domain.policy import PATH, Policy, Stack
from bot.domain.ports.forge import PullRequest
from bot.domain.words import outside
from bot.errors import UserError
from bot.services.context import Context
from bot.services.targets import CONFIGURATION, Ground, policy_at

SHOWN = ("bucket", "key", "region", "workspace_key_prefix", "path", "address")
"""Settings that are named; a block may hold secrets too."""

MOST = 4096
"""Blocks that are kept: a commit's never changes, and every look at a pull request asks."""

_blocks: dict[tuple[str, str, str], tuple[str, Mapping[str, str]] | None] = {}


def notes(context: Context, pull: PullRequest, stand: Ground) -> list[str]:
    """A sentence for each stack whose backend the pull request changes, in the policy or in the configuration."""
    changed = context.git.changed(pull.repository, stand.base_tip, pull.head_sha)
    after = _policy(context, pull) if PATH in changed else None
    found = (
        [_by_policy(stand.policy, after, stack) for stack in stand.policy.stacks.values()] if after else []
    )
    telling = [path for path in changed if _may_declare(context, pull, stand, path)]
    found += [
        _by_block(context, pull, stand, stack)
        for stack in stand.policy.stacks.values()
        if any(_is_configuration(path, stack.root) for path in telling)
    ]
    return [note for note in found if note]


def _may_declare(context: Context, pull: PullRequest, stand: Ground, path: str) -> bool:
    """Whether a changed file says a word of backends before or after: reading all files of a stack costs more."""
    if not path.endswith(CONFIGURATION[:4]):
        return False
    commits = [at for at in (stand.base_tip, pull.head_sha) if path in context.git.blobs(pull.repository, at)]
    contents = (context.git.read(pull.repository, at, path) for at in commits)
    return any(word in (content or b"") for content in contents for word in (b"backend", b"cloud"))


def _policy(context: Context, pull: PullRequest) -> Policy | None:
    try:
        return policy_at(context, pull.repository, pull.head_sha)
    except UserError:
        return None  # said by the policy's own note


def _by_policy(before: Policy, after: Policy, stack: Stack) -> str:
    there = after.stacks.get(stack.name)
    if there is None:
        return f"This pull request takes the stack `{stack.name}` out of the policy: its states stay where they are."
    keys = [
        env
        for env in before.environments
        if env in after.environments and before.key(stack.name, env) != after.key(stack.name, env)
    ]
    if there.backend == stack.backend and not keys:
        return ""
    moved = f" (the key in {', '.join(f'`{env}`' for env in keys)})" if keys else ""
    return (
        f"**This pull request changes where the states of `{stack.name}` are kept**{moved}. After its merge they are "
        "looked for there: `towpath state migrate` moves them first, else the next plan begins from nothing."
    )


def _by_block(context: Context, pull: PullRequest, stand: Ground, stack: Stack) -> str:
    before = _block(context, pull.repository, stand.base_tip, stack)
    after = _block(context, pull.repository, pull.head_sha, stack)
    if before is None or after is None or before == after:
        return ""
    return (
        f"**This pull request changes the `backend` block of `{stack.name}`** (from {_said(*before)} to "
        f"{_said(*after)}). The bot keeps each environment's state where the policy says, proves that before each run, "
        "and refuses the run where the block leads elsewhere."
    )


def _block(
    context: Context, repository: str, commit: str, stack: Stack
) -> tuple[str, Mapping[str, str]] | None:
    """The backend that a stack's files declare; None where they cannot be read, which its plan tells."""
    key = (repository, commit, stack.root)
    if key not in _blocks:
        if len(_blocks) >= MOST:
            _blocks.clear()
        _blocks[key] = _read(context, repository, commit, stack)
    return _blocks[key]


def _read(
    context: Context, repository: str, commit: str, stack: Stack
) -> tuple[str, Mapping[str, str]] | None:
    files = [name for name in context.git.files(repository, commit) if _is_configuration(name, stack.root)]
    with tempfile.TemporaryDirectory() as place:
        for name in files:
            content = context.git.read(repository, commit, name)
            (Path(place) / Path(name).name).write_bytes(content or b"")
        try:
            return context.terraform.backend_block(Path(place))
        except UserError:
            return None


def _said(kind: str, settings: Mapping[str, str]) -> str:
    """A backend in words, without what may be secret in it."""
    shown = [f"`{name} = {outside(settings[name])}`" for name in SHOWN if name in settings]
    return (
        " ".join([f"`{outside(kind)}`", *(["with", ", ".join(shown)] if shown else [])]) if kind else "none"
    )


def _is_configuration(path: str, root: str) -> bool:
    """Whether a file is of the root module itself."""
    place = posixpath.dirname(path) or "."
    return path.endswith(CONFIGURATION[:4]) and place == posixpath.normpath(root)
