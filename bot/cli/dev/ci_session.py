"""What ci will do for a commit, done here: the bot's services, on an empty state that is thrown away afterwards."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from bot.cli.dev.desk import Desk
from bot.cli.dev.local import Local, open_local
from bot.cli.dev.progress import watched
from bot.domain.policy import PATH, Environment
from bot.domain.ports.forge import CheckRun
from bot.domain.ports.surfaces import Surface
from bot.domain.release import Release
from bot.domain.run import Plan, Run
from bot.domain.suggest import hint
from bot.errors import UserError
from bot.filesystem import remove_tree
from bot.services.context import Context
from bot.services.dev import LocalWork, apply_working_copy, destroy_working_copy, plan_working_copy
from bot.services.targets import touched_stacks
from bot.surfaces.plan_check import current_check

PREFIX = "ci-"


@dataclass(frozen=True)
class Verified:
    """What `on_pull_request = "verify"` did after the plan: apply, smoke checks, destroy."""

    applied: Run
    release: Release | None
    destroyed: Run

    @property
    def ok(self) -> bool:
        return bool(self.release and self.release.verified and self.destroyed.outcome == "applied")


@dataclass(frozen=True)
class Checked:
    """One stack: its plan run, and the check that the bot would post of it."""

    run: Run
    plan: Plan | None
    check: CheckRun
    verified: Verified | None = None

    @property
    def ok(self) -> bool:
        return self.check.conclusion == "success" and (self.verified is None or self.verified.ok)


@dataclass(frozen=True)
class CiResult:
    """What ci will say of a commit. uncommitted: paths that do not count, since they are not in it."""

    environment: Environment
    commit: str
    uncommitted: tuple[str, ...]
    checks: tuple[Checked, ...]

    @property
    def ok(self) -> bool:
        return all(one.ok for one in self.checks)


def check_commit(desk: Desk, env: str, stack: str, pull: int, *, shown: bool) -> CiResult:
    """Plan HEAD's files in each stack that they touch; verify them too if the environment says so. Raises UserError."""
    environment = _environment(desk, env)
    with (
        desk.alone(),
        _throwaway(desk) as data,
        open_local(desk, data, pull=pull, uncommitted=False) as local,
    ):
        with watched(local.context, shown=shown):
            checks = tuple(
                _check(local, environment, name) for name in _stacks(desk, local, environment, stack)
            )
        return CiResult(environment, desk.copy.head, tuple(desk.copy.changed()), checks)


def _check(local: Local, environment: Environment, stack: str) -> Checked:
    context, pull_context = local.context, local.pull_context
    pull = pull_context.pull
    target = pull_context.policy.target(pull.repository, stack, environment.name, pull.number)
    work = LocalWork(pull_context, target, local.actor)
    run, plan = plan_working_copy(context, work)
    subject = f"{target.key}#{pull.number}"
    check = current_check(
        context, Surface(f"check:{subject}", "check", subject, pull.repository, pull.number)
    )
    if check is None:
        raise LookupError("a run has ended, so there is a check of it")
    verified = _verify(context, work, plan) if plan and environment.on_pull_request == "verify" else None
    if plan is not None:
        context.git.remove(Path(plan.worktree))
    return Checked(run, plan, check, verified)


def _verify(context: Context, work: LocalWork, plan: Plan) -> Verified:
    """Apply, check and destroy; what a failed apply left is destroyed, too."""
    applied, release = apply_working_copy(context, work, plan)
    run, undoing = plan_working_copy(context, work, destroy=True)
    destroyed = destroy_working_copy(context, work, undoing) if undoing else run
    if undoing is not None:
        context.git.remove(Path(undoing.worktree))
    return Verified(applied, release, destroyed)


def _environment(desk: Desk, name: str) -> Environment:
    known = desk.policy.environments
    offered = [env.name for env in known.values() if not env.local]
    if name not in known:
        raise UserError(
            f"There is no environment `{name}` in `{PATH}` on {desk.default.ref}{hint(name, offered) or '.'}",
            next_step=f"Name one: `towpath dev ci --env {offered[0]}`."
            if offered
            else f"Add `[env.{name}]` to it.",
        )
    if known[name].local:
        raise UserError(f"`{name}` is local, so ci never runs it.", next_step="Use `towpath dev plan`.")
    return known[name]


def _stacks(desk: Desk, local: Local, environment: Environment, stack: str) -> list[str]:
    """Return the stacks that the bot would plan. Raises UserError for one that is not in the environment."""
    if stack:
        return [desk.stack(stack, environment.name).name]
    offered = [
        one.name
        for one in touched_stacks(local.context, local.pull_context)
        if not one.environments or environment.name in one.environments
    ]
    return offered if environment.on_pull_request else []


@contextmanager
def _throwaway(desk: Desk) -> Iterator[Path]:
    """Yield a new directory for states and worktrees; those of killed commands are removed too."""
    private = desk.make_private()
    for left in private.glob(f"{PREFIX}*"):
        remove_tree(left)
    made = Path(tempfile.mkdtemp(prefix=PREFIX, dir=private))
    try:
        yield made
    finally:
        remove_tree(made)
