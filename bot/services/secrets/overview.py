"""Report the secrets of every environment that the bot runs, for the operator."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from bot.domain.ports.forge import ForgeError
from bot.domain.ports.secrets import SecretsUnavailable
from bot.domain.secrets import SecretsReport
from bot.errors import TransientError, UserError
from bot.services.context import Context
from bot.services.secrets.report import Configuration, default_commit, report_secrets
from bot.services.targets import policy_at


@dataclass(frozen=True)
class Examined:
    """An environment of a repository, "" for a repository that cannot be read. report: None if a source of
    secrets does not work; then problem says why, and by_hand what to run to see more."""

    repository: str
    environment: str
    report: SecretsReport | None = None
    problem: str = ""
    by_hand: str = ""


def examine_secrets(context: Context) -> list[Examined]:
    """Report the environments of all known repositories, as of their default branches."""
    with context.store.read() as tables:
        names = sorted(repository.name for repository in tables.pulls.repositories())
    return [one for name in names for one in _of_repository(context, name)]


def _of_repository(context: Context, repository: str) -> Iterator[Examined]:
    try:
        commit = default_commit(context, repository)
        policy = policy_at(context, repository, commit)
    except (UserError, TransientError, ForgeError) as error:
        yield Examined(repository, "", problem=str(error))
        return
    if policy is None:
        return
    at = Configuration(repository, commit, policy)
    for environment in policy.environments.values():
        if environment.local:
            continue
        try:
            yield Examined(repository, environment.name, report_secrets(context, at, environment.name))
        except SecretsUnavailable as error:
            yield Examined(repository, environment.name, problem=error.what, by_hand=error.by_hand)
