"""Who may do what in a repository, who is in a team."""

from __future__ import annotations

from typing import Protocol, cast, get_args
from urllib.parse import quote

from bot.domain.ports.forge import ForgeError, Role
from bot.github.fields import LOGIN, Fields
from bot.github.wire import Wire


class _Bot(Protocol):
    wire: Wire


class Permissions:
    """The port's methods on people. All is asked for anew each time: a role or a membership that was taken away must
    not act on."""

    def role(self: _Bot, repository: str, login: str) -> Role:
        path = f"/collaborators/{quote(login, safe='')}/permission"
        try:
            return self.wire.get(repository, path, _role)
        except ForgeError as error:
            if error.status != 404:
                raise
            return "none"

    def codeowners_errors(self: _Bot, repository: str, ref: str) -> list[str]:
        try:
            return self.wire.get(repository, "/codeowners/errors", _errors, params={"ref": ref})
        except ForgeError as error:
            if error.status != 404:
                raise
            return []  # GitHub: 404 where there is no CODEOWNERS file

    def members(self: _Bot, team: str) -> frozenset[str] | None:
        """GitHub: a team's members include those of its child teams. An App needs to read members, a token `read:org`;
        without that, as for an unknown team, the answer is 403 or 404."""
        organisation, _, slug = (quote(part, safe="") for part in team.lstrip("@").partition("/"))
        if not organisation or not slug:
            return None
        try:
            found = self.wire.listed(
                organisation.lower(),
                f"/orgs/{organisation}/teams/{slug}/members",
                lambda member: member.matching("login", LOGIN).lower(),
            )
        except ForgeError as error:
            if error.status not in (403, 404) or error.retry_after is not None:
                raise
            return None
        return frozenset(found)


def _role(data: Fields) -> Role:
    """`role_name`; an organisation's own role counts as what `permission` folds it into (write or read at most)."""
    for key in ("role_name", "permission"):
        if (name := data.text(key, "")) in get_args(Role):
            return cast("Role", name)
    return "none"


def _errors(data: Fields) -> list[str]:
    return [
        f"{error.text('path', 'CODEOWNERS')}:{error.number('line')}: {error.text('kind', '')}"
        for error in data.items("errors")
    ]
