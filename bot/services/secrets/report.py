"""Report an environment's secrets, never with values."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from bot.domain.identity import EnvironmentSecrets
from bot.domain.policy import Policy, Stack
from bot.domain.secrets import MissingVariable, SecretsReport, entries_of, missing_of, settings_of
from bot.errors import UserError
from bot.services.context import Context
from bot.services.identity import secrets_of
from bot.services.targets import fetch, tip_of


@dataclass(frozen=True)
class Configuration:
    """A commit whose modules are read, and the policy in force. The commit has been fetched."""

    repository: str
    commit: str
    policy: Policy


def default_commit(context: Context, repository: str) -> str:
    """Return the latest commit of the default branch, after fetching it."""
    branch = context.known(repository).default_branch
    tip = tip_of(context, repository, branch)
    fetch(context, repository, [tip], [f"refs/heads/{branch}"])
    return tip


def report_secrets(
    context: Context, at: Configuration, environment: str, stack: str | None = None
) -> SecretsReport:
    """Return which variables an environment's runs get, and which of its stacks' input variables have no value at that
    commit. stack: only this one's. Raises SecretsUnavailable."""
    secrets = secrets_of(context, at.policy, at.repository, environment)
    missing: list[MissingVariable] = []
    unread: list[str] = []
    for one in _stacks(at.policy, environment, stack):
        try:
            missing += _missing(context, at, environment, one, secrets)
        except UserError as error:
            unread.append(f"The variables of stack `{one.name}` could not be read: {error.what}")
    return SecretsReport(
        at.repository,
        environment,
        at.policy.secrets_prefix(environment),
        at.commit,
        entries_of(secrets, settings_of(at.policy, environment)),
        tuple(missing),
        tuple(unread),
    )


def _stacks(policy: Policy, environment: str, stack: str | None) -> Sequence[Stack]:
    return [
        one
        for one in policy.stacks.values()
        if stack in (None, one.name) and policy.environments[environment] in policy.environments_of(one)
    ]


def _missing(
    context: Context, at: Configuration, environment: str, stack: Stack, secrets: EnvironmentSecrets
) -> tuple[MissingVariable, ...]:
    variables = context.terraform.unset_variables(
        context.git.files(at.repository, at.commit),
        lambda path: context.git.read(at.repository, at.commit, path),
        stack.root,
        at.policy.var_files(stack.name, environment),
    )
    return missing_of(secrets, at.policy, environment, stack.name, variables)
