"""Port for an environment's static secrets, wherever they are kept."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from bot.domain.identity import EnvironmentSecrets
from bot.errors import UserError


@dataclass(frozen=True)
class SecretsScope:
    """Whose secrets: an environment of a repository. prefix: what their names begin with where all are kept together."""

    repository: str
    environment: str
    prefix: str


Secrets = Callable[[SecretsScope], EnvironmentSecrets]
"""Returns all static secrets of an environment, or raises SecretsUnavailable: never a part of them."""


class SecretsUnavailable(UserError):
    """A source of secrets does not work. Its text quotes nothing of what the source has.

    by_hand: what the operator can run to see why, "" where the text says it all. It may name paths and is not for chat.
    """

    code = "secrets"

    def __init__(self, what: str, *, next_step: str = "", by_hand: str = "") -> None:
        super().__init__(what, next_step=next_step)
        self.by_hand = by_hand
