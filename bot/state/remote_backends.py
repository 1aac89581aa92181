"""A target's state on the team's bot, for a person's own commands: read, locked and written over HTTP."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

import httpx

from bot.domain.policy import Policy
from bot.domain.ports.state import Author, StateLocation, States
from bot.domain.ports.terraform import Backend
from bot.domain.states import LockInfo, StateRefused
from bot.domain.target import Target
from bot.errors import UserError
from bot.state.local_backends import LocalBackends, elsewhere

TIMEOUT = 60.0
"""Seconds for one request."""
RETRIES = "30"
"""Terraform's, as on the bot: they outlast a restart of it."""


@dataclass(frozen=True)
class StateAccess:
    """A credential of `towpath state login`. config: what `-backend-config` gets."""

    config: Mapping[str, str]
    username: str
    password: str = field(repr=False)


@dataclass(frozen=True)
class OnTheBot:
    """Implements bot.domain.ports.state.StateLocation with the bot's own state backend."""

    access: StateAccess

    def read(self) -> bytes | None:
        answer = self._send("GET", (200, 204, 404))
        return answer.content if answer.status_code == 200 else None

    def held(self) -> LockInfo | None:
        """Not known: the bot tells of a lock only those who want it."""
        return None

    def lock(self, wanted: LockInfo) -> LockInfo | None:
        answer = self._send("LOCK", (200, 423), content=wanted.dump())
        return None if answer.status_code == 200 else LockInfo.parse(answer.content)

    def unlock(self, lock_id: str) -> bool:
        return self._send("UNLOCK", (200, 409), content=LockInfo(lock_id).dump()).status_code == 200

    def write(self, data: bytes, lock_id: str) -> None:
        answer = self._send("POST", (200, 409), content=data, params={"ID": lock_id})
        if answer.status_code == 409:
            raise StateRefused(answer.text.strip())

    def _send(
        self,
        method: str,
        expected: tuple[int, ...],
        *,
        content: bytes = b"",
        params: Mapping[str, str] | None = None,
    ) -> httpx.Response:
        address = self.access.config["address"]
        auth = (self.access.username, self.access.password)
        try:
            answer = httpx.request(
                method, address, content=content, params=params, auth=auth, timeout=TIMEOUT
            )
        except httpx.HTTPError as error:
            raise UserError(
                f"{address} does not answer: {type(error).__name__}.", next_step="Check that the bot runs."
            ) from None
        if answer.status_code in (401, 403):
            raise UserError(
                "The bot does not accept the credential of this state any more.",
                next_step="Run `towpath state login` again.",
            )
        if answer.status_code not in expected:
            raise UserError(f"{address} answers {answer.status_code}.", next_step="Try again later.")
        return answer


class RemoteBackends(LocalBackends):
    """Those of the one target that a credential is for. states, directory: as for Backends; nothing of it is kept there."""

    def __init__(self, states: States, directory: Path, access: StateAccess) -> None:
        super().__init__(states, base_url=access.config["address"], directory=directory)
        self._access = access

    def backend(self, target: Target, policy: Policy, declared: str, credential: tuple[str, str]) -> Backend:
        """Return what `init` gets. credential: not used, as the bot did not issue it."""
        env = {
            "TF_HTTP_USERNAME": self._access.username,
            "TF_HTTP_PASSWORD": self._access.password,
            "TF_HTTP_RETRY_MAX": RETRIES,
        }
        ours = super().backend(target, policy, declared, credential)
        return replace(ours, config=self._access.config, env=env)

    def location(
        self,
        target: Target,
        backend: Backend,
        author: Author | None = None,  # noqa: ARG002 - the bot knows whose credential it is
    ) -> StateLocation:
        if backend.config != self._access.config:
            raise elsewhere(target)
        return OnTheBot(self._access)
