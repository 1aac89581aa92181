"""What a run gets to prove who it is: static secrets, and files with tokens that exist only while it runs."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

from bot.domain.identity import access_of, clash, files_of, is_ours, session_name, variables_of
from bot.domain.policy import Identity, Policy
from bot.domain.ports.terraform import Control
from bot.domain.run import Run
from bot.domain.target import Target
from bot.errors import UserError
from bot.services.context import Context
from bot.services.identity.tokens import sign_tokens


def secrets_for(context: Context, policy: Policy, run: Run) -> Mapping[str, str]:
    """Return the static secrets that a run's Terraform gets: those of its environment, for plans or for applies."""
    return context.secrets(policy.secrets_prefix(run.target.environment)).of(access_of(run))


def hidden_values(context: Context, policy: Policy, target: Target) -> tuple[str, ...]:
    """Return the values to redact in what a target's runs print: the bot's secrets and the environment's, whether a run
    gets them or not, since the state may contain them."""
    return (*context.hidden, *context.secrets(policy.secrets_prefix(target.environment)).values)


@dataclass(frozen=True)
class RunIdentity:
    """As what a run acts in clouds. directory: of the files with its tokens. timeout: the longest that it may take."""

    run: Run
    identity: Identity
    directory: Path
    timeout: timedelta

    @property
    def env(self) -> dict[str, str]:
        """The variables through which tools find the files."""
        return variables_of(self.identity, access_of(self.run), self.directory, session_name(self.run))


def run_identity(context: Context, policy: Policy, run: Run, directory: Path) -> RunIdentity | None:
    """Return what a run acts as, None where its environment has no `identity`. Writes nothing.

    Raises UserError if no cloud could verify a token, or if a static secret would take the token's place.
    """
    environment = policy.environments[run.target.environment]
    if not environment.identity:
        return None
    if not context.issuer and context.tokens is not None:
        raise UserError(
            f"`{environment.name}` has an `identity`, but this job may not have GitHub's tokens.",
            next_step="Run `towpath setup actions` again, and commit the workflows.",
        )
    if not context.issuer:
        raise UserError(
            f"`{environment.name}` has an `identity`, but Towpath has no public https address at which clouds could "
            "verify its tokens.",
            next_step="Set `TOWPATH_PUBLIC_URL` to that address, then run `/plan` again.",
        )
    if name := clash(environment.identity, secrets_for(context, policy, run).keys()):
        prefix = policy.secrets_prefix(environment.name)
        raise UserError(
            f"`{environment.name}` has an `identity`, and a static secret sets `{name}`, which would replace it.",
            next_step=f"Remove `{prefix}{name}` (or `{prefix}PLAN_{name}`, `{prefix}APPLY_{name}`), or the `identity`.",
        )
    return RunIdentity(run, environment.identity, directory, environment.timeout)


def write_tokens(context: Context, identity: RunIdentity) -> tuple[str, ...]:
    """Sign new tokens and write them to the run's files, replacing older ones. Returns the values to redact. Only the
    bot's user can read the files (mode 0600)."""
    audiences = identity.identity.audiences
    if context.tokens is not None:
        tokens = context.tokens(audiences)
    else:
        tokens = sign_tokens(context, identity.run, audiences, identity.timeout)
    identity.directory.mkdir(mode=0o700, parents=True, exist_ok=True)
    for name, content in files_of(
        identity.identity, access_of(identity.run), identity.directory, tokens
    ).items():
        _write(identity.directory / name, content)
    # The rest of a token is not secret: whoever gets the signature alone could put it before that.
    return tuple(token.rpartition(".")[2] for token in tokens.values())


def renew_tokens(context: Context, identity: RunIdentity | None, control: Control) -> None:
    """Do that, if the run has an identity, and have `control` redact them. Done before `init`, and again right before
    Terraform's main call, since a run may wait for its turn in between."""
    if identity is not None:
        control.secrets = (*control.secrets, *write_tokens(context, identity))


@contextmanager
def tokens_removed(directory: Path) -> Iterator[None]:
    """Remove the run's tokens at the end, however that comes. After a crash, the next checkout or sweep does."""
    try:
        yield
    finally:
        remove_tokens(directory)


def remove_tokens(directory: Path, *, older: float = 0.0) -> None:
    """Remove the files with tokens from a directory, if there are any; with `older`, those of at least that age in
    seconds. Links are never followed."""
    if directory.is_symlink() or not directory.is_dir():
        return
    for path in directory.iterdir():
        if is_ours(path.name) and not path.is_dir() and time.time() - path.lstat().st_mtime >= older:
            path.unlink(missing_ok=True)


def _write(path: Path, content: bytes) -> None:
    """Write a file that did not exist before, so that no link is followed and nobody else has it open."""
    path.unlink(missing_ok=True)
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
        file.write(content)
