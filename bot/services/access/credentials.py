"""Issue people credentials for the built-in state backend, by their GitHub identity and role."""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta

from bot.domain.access import local_run_refusal
from bot.domain.actors import Actor
from bot.domain.gates import refuse_role
from bot.domain.ports.forge import ForgeError
from bot.domain.ports.state import Grant
from bot.domain.refusal import Refusal, require
from bot.domain.target import Target
from bot.errors import UserError
from bot.services.audit import AuditSubject, record
from bot.services.context import Context
from bot.services.states import backend_of
from bot.services.targets import default_policy, refuse_unknown

LIFE = timedelta(hours=8)
"""How long a credential is valid, even if its owner loses the role: one working day."""


@dataclass(frozen=True)
class SignIn:
    """The target to sign in to. stack: "" if there is only one. pull: 0 unless the environment exists per pull request."""

    repository: str
    environment: str
    stack: str = ""
    pull: int = 0


@dataclass(frozen=True)
class StateCredential:
    """User name and password for one target's state, until `expires_at` (UTC). config: for `-backend-config`. note: what
    it does not allow, "" for none."""

    target: Target
    login: str
    username: str
    password: str
    expires_at: datetime
    config: dict[str, str]
    note: str = ""


def sign_in(context: Context, token: str, request: SignIn) -> StateCredential:
    """Issue a credential to the owner of a GitHub token. The token only identifies them, and is not stored.

    Their role is read with Towpath's own credentials: the state needs `write`, in production `maintain`. Raises Refusal,
    or ForgeError if GitHub does not answer.
    """
    repository = request.repository.lower()
    login = person_of(context, repository, token)
    role = context.forge.role(repository, login)
    require(refuse_role(role, "write", f"use a state of {repository}"))
    target = target_of(context, repository, request)
    policy = default_policy(context, repository)
    if policy is not None and policy.environments[target.environment].production:
        require(refuse_role(role, "maintain", f"use the state of {target}"))
    backend = backend_of(context, target, policy) if policy is not None else None
    if backend is None or backend.kind != "http":
        raise Refusal(
            "elsewhere",
            f"The state of {target} is stored in a bucket, not by Towpath.",
            "Use the bucket's credentials.",
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
            AuditSubject(target=target),
            username=username,
            role=role,
            until=expires.isoformat(),
        )
    why = local_run_refusal(policy.environments[target.environment], target) if policy is not None else ""
    note = f"You can only plan: {why}." if why else ""
    return StateCredential(target, login, username, password, expires, dict(backend.config), note)


def sign_out(context: Context, username: str, password: str) -> bool:
    """Revoke a person's credential, given as itself. Returns False if it is not one."""
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
            AuditSubject(target=Target.from_key(grant.target_key)),
            username=username,
        )
    return True


def person_of(context: Context, repository: str, token: str) -> str:
    """Return the login of the owner of a GitHub token. Raises Refusal if they have no access to the repository."""
    try:
        return context.forge.person(repository, token)
    except ForgeError as error:
        if error.status not in (401, 403, 404):
            raise
    raise Refusal(
        "stranger",
        f"This GitHub token does not belong to a person with access to {repository}.",
        "Use one that can read the repository, such as the output of `gh auth token`.",
    )


def target_of(context: Context, repository: str, request: SignIn) -> Target:
    """Return the target that a request means, which may be local-only. Raises Refusal."""
    try:
        policy = default_policy(context, repository)
    except UserError as error:
        raise Refusal("policy", error.what, error.next_step) from error
    if policy is None:
        raise Refusal(
            "no-policy", f"{repository} has no `envs/environments.toml`.", "Add one in a pull request."
        )
    stack = request.stack or (next(iter(policy.stacks)) if len(policy.stacks) == 1 else "")
    require(refuse_unknown(policy, request.environment, stack or None, local=True))
    if not stack:
        names = ", ".join(f"`{name}`" for name in policy.stacks)
        raise Refusal("which-stack", f"There are several stacks: {names}.", "Add `--stack <stack>`.")
    if policy.environments[request.environment].instance and not request.pull:
        raise Refusal(
            "which-pull",
            f"`{request.environment}` exists once for each pull request.",
            "Add `--pull <number>`.",
        )
    return policy.target(repository, stack, request.environment, request.pull)
