"""Prepare the directory that Terraform runs in: checkout, backend, secrets, init, proof of the backend."""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import timedelta
from pathlib import Path

from bot.domain.actors import Actor
from bot.domain.policy import Environment, Policy
from bot.domain.ports.forge import PullRequest
from bot.domain.ports.state import Grant
from bot.domain.ports.terraform import Backend, CommandResult, Control, WorkDir
from bot.domain.previews import preview_variables
from bot.domain.refusal import Refusal
from bot.domain.run import CHANGING, Run
from bot.domain.secrets import settings_of
from bot.domain.states import BackendSettings, StateInfo
from bot.domain.target import Target
from bot.errors import UserError
from bot.services.context import Context
from bot.services.identity import RunIdentity, remove_tokens, renew_tokens, run_identity, secrets_for
from bot.services.plans.modules import explain_unreachable, module_access

OURS = ".towpath"
"""Directory at the top of a worktree that is reserved for the bot: it holds the run's tokens."""


@dataclass(frozen=True)
class Workspace:
    """A prepared directory. tree: git's tree id of `worktree`. identity: as what the run acts in clouds. providers: what is
    installed there."""

    worktree: Path
    tree: str
    work_dir: WorkDir
    backend: Backend
    var_files: tuple[Path, ...]
    identity: RunIdentity | None = None
    providers: tuple[str, ...] = ()


class InitFailed(Exception):
    """`terraform init` failed."""

    def __init__(self, ended: CommandResult) -> None:
        super().__init__("init failed")
        self.ended = ended


@dataclass(frozen=True)
class Checkout:
    """What to check out, and the worktree that it goes to. additions: extra files for its root module, see
    bot.domain.run.Plan."""

    pull: PullRequest
    policy: Policy
    commit: str
    worktree: Path
    additions: Mapping[str, bytes] = field(default_factory=dict)


def prepare_workspace(context: Context, run: Run, checkout: Checkout, control: Control) -> Workspace:
    """Check out the files, initialise the directory, and prove its backend. Code from a fork gets neither secrets nor
    tokens.

    The caller removes the tokens in the end, with `tokens_removed`. Raises UserError if the repository and the policy do not fit, InitFailed if init fails.
    """
    pull, policy, worktree = checkout.pull, checkout.policy, checkout.worktree
    target, environment = run.target, policy.environments[run.target.environment]
    stack = policy.stacks[target.stack]
    if context.delegate_of(policy, target) is not None:
        raise Refusal(
            "runs-elsewhere",
            f"Terraform for `{environment.name}` runs in GitHub Actions, which only plans and applies.",
            f'Run `/plan {environment.name}`, or remove `runner = "actions"` from `[env.{environment.name}]`.',
        )
    tree = context.git.checkout(target.repository, checkout.commit, worktree)
    _refuse_reserved_name(worktree / OURS)
    remove_tokens(worktree / OURS)  # left by a crash
    root = (worktree / stack.root).resolve()
    if not root.is_relative_to(worktree.resolve()) or not root.is_dir():
        raise UserError(
            f"`{stack.root}` is not a directory in this repository at `{checkout.commit[:7]}`.",
            next_step=f"Correct `root` of stack `{stack.name}` in `envs/environments.toml`.",
        )
    for name, content in checkout.additions.items():
        (root / name).unlink(missing_ok=True)  # never follow a link
        (root / name).write_bytes(content)
    identity = None
    if not pull.from_fork:
        # a plan that nobody asked for runs on behalf of the pull request's author
        person = run if run.actor.login or not run.pull else replace(run, actor=Actor(pull.author))
        identity = run_identity(context, policy, person, worktree / OURS)
    env: Mapping[str, str] = {} if pull.from_fork else secrets_for(context, policy, run, control)
    env = {**preview_variables(target, run.pull), **env}
    if identity is not None:
        env = {**env, **identity.env}
        renew_tokens(context, identity, control)
    credential = issue_credential(context, run, environment.timeout)
    declared = context.terraform.declared_backend(root)
    backend = context.backends.backend(target, policy, declared, credential)
    work_dir = WorkDir(
        root=root,
        env={**env, **backend.env},
        workspace=target.instance if backend.kind == "s3" else "",
        worktree=worktree.resolve(),
        readable=backend.files,
        git_access=None if pull.from_fork else module_access(context, target.repository, policy),
        providers=policy.providers.allow,
        settings=settings_of(policy, environment.name),
    )
    found = context.terraform.init(work_dir, backend, control)
    if not found.ended.ok:
        raise InitFailed(explain_unreachable(found.ended, target.repository, work_dir.git_access))
    context.backends.prove(backend, found)
    if found.workspace != (work_dir.workspace or "default"):
        raise UserError(
            f"The state would be in the wrong place: {target} belongs to workspace "
            f"`{work_dir.workspace or 'default'}`, but Terraform would use `{found.workspace}`.",
            next_step="Remove `TF_WORKSPACE` from the environment's secrets, then run `/plan` again.",
        )
    _refuse_shared_state(context, target, backend)
    return Workspace(
        worktree,
        tree,
        replace(work_dir, git_access=None),
        backend,
        _var_files(worktree, policy, target, asleep=run.kind == "plan" and _asleep(context, target)),
        identity,
        found.providers,
    )


def _refuse_reserved_name(directory: Path) -> None:
    """Raise UserError if the repository has something of this name: the bot writes here, so it must not be a link."""
    files = directory.is_dir() and all(one.is_file() and not one.is_symlink() for one in directory.iterdir())
    if directory.is_symlink() or (directory.exists() and not files):
        raise UserError(f"The name `{OURS}` is reserved for Towpath.", next_step="Rename it.")


def stored_backend(backend: Backend) -> BackendSettings:
    """Return a backend as a plan stores it: without credentials."""
    return {"kind": backend.kind, "config": dict(backend.config)}


def _refuse_shared_state(context: Context, target: Target, backend: Backend) -> None:
    """Raise UserError if another repository uses the same state: each would destroy what the other made."""
    if backend.kind == "http":
        return  # its address names the repository
    with context.store.read() as tables:
        other = tables.plans.elsewhere(target.repository, stored_backend(backend))
    if other is not None:
        raise UserError(
            f"{target} would share its state with {other} in {other.repository}: same bucket and key.",
            next_step="Set another `key` or `bucket` for the stack in `envs/environments.toml`.",
        )


def state_of(context: Context, target: Target, backend: Backend) -> tuple[str, int]:
    """Return the current state's (lineage, serial); ("", 0) if there is none yet."""
    data = context.backends.current(target, backend)
    if not data:
        return "", 0
    info = StateInfo.parse(data)
    return info.lineage, info.serial


def issue_credential(context: Context, run: Run, timeout: timedelta) -> tuple[str, str]:
    """Issue a user and password for the built-in backend that only this run may use, until it ends."""
    token = secrets.token_urlsafe(32)
    expires = context.now() + timeout + timedelta(hours=1)
    grant = Grant(
        run.target.key, run.id, run.kind in CHANGING, expires, commit=run.commit, actor=run.actor.login
    )
    with context.store.begin() as tables:
        tables.credentials.issue(run.id, token, grant)
    return run.id, token


def _asleep(context: Context, target: Target) -> bool:
    """Whether the target is an instance that should sleep."""
    if not target.instance:
        return False
    with context.store.read() as tables:
        instance = tables.instances.get(target)
    return instance is not None and instance.wanted == "asleep"


def _var_files(worktree: Path, policy: Policy, target: Target, *, asleep: bool) -> tuple[Path, ...]:
    """Return the environment's var files that exist at the commit, with the overlay of a sleeping instance. One that the
    policy names must exist."""
    explicit = policy.environments[target.environment].var_files
    overlay = policy.overlay(target.stack, target.environment) if asleep else ()
    paths = [worktree / path for path in (*policy.var_files(target.stack, target.environment), *overlay)]
    missing = [path for path in paths if not path.is_file()]
    required = [path for path in missing if explicit or str(path.relative_to(worktree)) in overlay]
    if required:
        raise Refusal(
            "missing-var-file",
            f"`{required[0].relative_to(worktree)}` is missing at this commit.",
            "Add it, or correct `var_files` in `envs/environments.toml`.",
        )
    return tuple(path for path in paths if path.is_file())


def parallelism(environment: Environment) -> int | None:
    """Return the environment's parallelism, or None for Terraform's own default (10)."""
    return environment.parallelism if environment.parallelism != 10 else None
