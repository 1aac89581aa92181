"""From a run's row to a directory in which Terraform can work: checkout, backend, secrets, init, proof."""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import timedelta
from pathlib import Path
from typing import Any

from bot.domain.policy import Environment, Policy
from bot.domain.ports.forge import PullRequest
from bot.domain.ports.state import Grant
from bot.domain.ports.terraform import Backend, Control, Ended, Place
from bot.domain.run import Run
from bot.domain.state import StateInfo
from bot.domain.target import Target
from bot.errors import UserError
from bot.services.context import Context

OURS = ".towpath"
"""A directory at a worktree's top, for a plan's file while it is made or applied."""


@dataclass(frozen=True)
class Desk:
    """A prepared directory. `tree` is git's tree id of `worktree`."""

    worktree: Path
    tree: str
    place: Place
    backend: Backend
    var_files: tuple[Path, ...]


class InitFailed(Exception):
    """Terraform's init ended badly."""

    def __init__(self, ended: Ended) -> None:
        super().__init__("init failed")
        self.ended = ended


def worktree_of(context: Context, run: Run) -> Path:
    """A plan's own directory: its path is part of the plan."""
    return context.data_dir / "worktrees" / run.target.path / run.id


def journal_of(context: Context, run: Run) -> Path:
    """Where the supervisor of this run's Terraform writes how it ended."""
    return context.data_dir / "journal" / run.id


def secrets_for(context: Context, policy: Policy, target: Target, pull: PullRequest) -> dict[str, str]:
    """The target's own secrets, or none at all for code that comes from a fork."""
    return {} if pull.from_fork else dict(context.secrets(policy.secrets_prefix(target.environment)))


def lay(
    context: Context,
    run: Run,
    pull: PullRequest,
    policy: Policy,
    control: Control,
    worktree: Path,
    *,
    commit: str,
    additions: Mapping[str, bytes] | None = None,
) -> Desk:
    """Make (or put back) the worktree of `commit` at exactly `worktree`, initialise it, and prove its backend.
    additions: files that are written into its root module besides, see bot.domain.run.Plan.

    Raises UserError where the repository and the policy do not fit, InitFailed where init does not end well.
    """
    target, environment = run.target, policy.environments[run.target.environment]
    stack = policy.stacks[target.stack]
    tree = context.git.checkout(target.repository, commit, worktree)
    _own(worktree / OURS)
    root = (worktree / stack.root).resolve()
    if not root.is_relative_to(worktree.resolve()) or not root.is_dir():
        raise UserError(
            f"`{stack.root}` is no directory of this repository at `{commit[:7]}`.",
            next_step=f"Correct `root` of stack `{stack.name}` in `envs/environments.toml`.",
        )
    for name, content in (additions or {}).items():
        (root / name).unlink(missing_ok=True)  # a link there must not be followed
        (root / name).write_bytes(content)
    env = secrets_for(context, policy, target, pull)
    credential = grant(context, run, environment.timeout)
    declared = context.terraform.declared_backend(root)
    backend = context.backends.backend(target, policy, declared, credential)
    place = Place(
        root=root,
        env={**env, **backend.env},
        workspace=target.instance if backend.kind == "s3" else "",
        git_credentials=None if pull.from_fork else _private_modules(context, target.repository),
    )
    found = context.terraform.init(place, backend, control)
    if not found.ended.ok:
        raise InitFailed(found.ended)
    context.backends.prove(backend, found)
    if found.workspace != (place.workspace or "default"):
        raise UserError(
            f"The state would not be where it belongs: the workspace of {target} should be "
            f"`{place.workspace or 'default'}`, and Terraform would use `{found.workspace}`.",
            next_step="Take `TF_WORKSPACE` out of the environment's secrets, then `/plan` again.",
        )
    _alone(context, target, backend)
    return Desk(
        worktree,
        tree,
        replace(place, git_credentials=None),
        backend,
        _var_files(worktree, policy, target),
    )


def _own(directory: Path) -> None:
    """Plans are written here, so nothing of the repository's may lead elsewhere from here."""
    files = directory.is_dir() and all(one.is_file() and not one.is_symlink() for one in directory.iterdir())
    if directory.is_symlink() or (directory.exists() and not files):
        raise UserError(f"`{OURS}` is a name that is kept for Towpath.", next_step="Rename it.")


def kept(backend: Backend) -> dict[str, Any]:
    """A backend as a plan keeps it: without credentials."""
    return {"kind": backend.kind, "config": dict(backend.config)}


def _alone(context: Context, target: Target, backend: Backend) -> None:
    """Two repositories that share the bot's bucket must not share a state: each would destroy what the other made."""
    if backend.kind == "http":
        return  # its address names the repository
    with context.store.read() as tables:
        other = tables.plans.elsewhere(target.repository, kept(backend))
    if other is not None:
        raise UserError(
            f"The state of {target} would be that of {other} in {other.repository}: the same bucket and key.",
            next_step="Name another `key` or `bucket` for the stack in `envs/environments.toml`.",
        )


def state_of(context: Context, target: Target, backend: Backend) -> tuple[str, int]:
    """(lineage, serial) of the current state; ("", 0) where there is none yet."""
    data = context.backends.current(target, backend)
    if not data:
        return "", 0
    info = StateInfo.parse(data)
    return info.lineage, info.serial


def grant(context: Context, run: Run, timeout: timedelta) -> tuple[str, str]:
    """A user and password of this run alone, for the built-in backend: worthless when the run is over."""
    token = secrets.token_urlsafe(32)
    expires = context.now() + timeout + timedelta(hours=1)
    grant = Grant(
        run.target.key, run.id, run.kind == "apply", expires, commit=run.commit, actor=run.actor.login
    )
    with context.store.begin() as tables:
        tables.credentials.issue(run.id, token, grant)
    return run.id, token


def _private_modules(context: Context, repository: str) -> tuple[str, str, str] | None:
    """Credentials for modules that live on the same GitHub, for init only."""
    credentials = context.forge.git_credentials(repository)
    if credentials is None:
        return None
    scheme, _, rest = context.known(repository).clone_url.partition("://")
    return f"{scheme}://{rest.split('/', 1)[0]}/", *credentials


def _var_files(worktree: Path, policy: Policy, target: Target) -> tuple[Path, ...]:
    """The environment's var files that the commit has. One that the policy names must be there."""
    explicit = policy.environments[target.environment].var_files
    paths = [worktree / path for path in policy.var_files(target.stack, target.environment)]
    missing = [path for path in paths if not path.is_file()]
    if explicit and missing:
        raise UserError(
            f"`{missing[0].relative_to(worktree)}` is missing at this commit.",
            next_step="Add it, or correct `var_files` in `envs/environments.toml`.",
        )
    return tuple(path for path in paths if path.is_file())


def parallelism(environment: Environment) -> int | None:
    """Terraform's own default (10) needs no flag."""
    return environment.parallelism if environment.parallelism != 10 else None
