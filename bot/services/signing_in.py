"""Credentials of people for the built-in state backend: who they are by GitHub, what they may by their role there."""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta

from bot.domain.answers import Refused
from bot.domain.gates import may
from bot.domain.laptop import refusal
from bot.domain.people import Actor
from bot.domain.ports.forge import ForgeError
from bot.domain.ports.state import Grant
from bot.domain.target import Target
from bot.errors import UserError
from bot.services.auditing import record
from bot.services.context import Context
from bot.services.targets import default_policy, unknown
from bot.services.whereabouts import backend_of

LIFE = timedelta(hours=8)
"""A working day: whoever lost the role meanwhile has the credential no longer than that."""


@dataclass(frozen=True)
class Wish:
    """Which target's state: `stack` may be empty where there is one; `pull` 0 where the environment exists once."""

    repository: str
    environment: str
    stack: str = ""
    pull: int = 0


@dataclass(frozen=True)
class Pass:
    """A user name and a password for one target's state, until `expires_at` (UTC). config: for `-backend-config`.
    note: what it is not good for, "" where for all."""

    target: Target
    login: str
    username: str
    password: str
    expires_at: datetime
    config: dict[str, str]
    note: str = ""


def sign_in(context: Context, token: str, wish: Wish) -> Pass | Refused:
    """A credential for whom GitHub says that `token` is. The token is used for that alone, and not kept.

    The role is asked for by the bot's own credentials: `write` reads and writes below production, `maintain` there
    too. Raises ForgeError where GitHub does not answer.
    """
    repository = wish.repository.lower()
    login = _login(context, repository, token)
    if isinstance(login, Refused):
        return login
    role = context.forge.role(repository, login)
    if no := may(role, "write", f"use a state of {repository}"):
        return no
    target = _target(context, repository, wish)
    if isinstance(target, Refused):
        return target
    policy = default_policy(context, repository)
    if policy is not None and policy.environments[target.environment].production:
        no = may(role, "maintain", f"use the state of {target}")
        if no is not None:
            return no
    backend = backend_of(context, target, policy) if policy is not None else None
    if backend is None or backend.kind != "http":
        return Refused(
            "elsewhere",
            f"The state of {target} is not kept by the bot but in a bucket.",
            "Use that bucket's own credentials.",
        )
    username, password = f"{login}-{secrets.token_hex(4)}", secrets.token_urlsafe(32)
    expires = context.now() + LIFE
    with context.store.begin() as tables:
        tables.credentials.issue(
            username, password, Grant(target.key, "", write=True, expires_at=expires, actor=login)
        )
        record(
            context,
            tables,
            "state.login",
            Actor(login, via="terraform"),
            target=target,
            username=username,
            role=role,
            until=expires.isoformat(),
        )
    why = refusal(policy.environments[target.environment], target) if policy is not None else ""
    note = f"You may plan: {why}." if why else ""
    return Pass(target, login, username, password, expires, dict(backend.config), note)


def sign_out(context: Context, username: str, password: str) -> bool:
    """Forget a credential, by itself; False where it is none of a person's."""
    with context.store.begin() as tables:
        grant = tables.credentials.resolve(username, password)
        if grant is None or not grant.person:
            return False
        tables.credentials.drop(username)
        actor = Actor(grant.actor, via="terraform")
        record(
            context,
            tables,
            "state.logout",
            actor,
            target=Target.from_key(grant.target_key),
            username=username,
        )
    return True


def _login(context: Context, repository: str, token: str) -> str | Refused:
    try:
        return context.forge.person(repository, token)
    except ForgeError as error:
        if error.status not in (401, 403, 404):
            raise
    return Refused(
        "stranger",
        f"GitHub does not know this token as a person's who sees {repository}.",
        "Give one that may read the repository, such as that of `gh auth token`.",
    )


def _target(context: Context, repository: str, wish: Wish) -> Target | Refused:
    try:
        policy = default_policy(context, repository)
    except UserError as error:
        return Refused("policy", error.what, error.next_step)
    if policy is None:
        return Refused("no-policy", f"{repository} has no `envs/environments.toml` yet.", "Add one.")
    stack = wish.stack or (next(iter(policy.stacks)) if len(policy.stacks) == 1 else "")
    if no := unknown(policy, wish.environment, stack or None):
        return no
    if not stack:
        names = ", ".join(f"`{name}`" for name in policy.stacks)
        return Refused("which-stack", f"There are several stacks: {names}.", "Name one by `--stack`.")
    if policy.environments[wish.environment].instance and not wish.pull:
        return Refused(
            "which-pull",
            f"`{wish.environment}` exists once for each pull request.",
            "Name the pull request by `--pull`.",
        )
    return policy.target(repository, stack, wish.environment, wish.pull)
