"""Look up repository roles, team members and CODEOWNERS errors."""

from __future__ import annotations

from typing import Protocol, cast, get_args
from urllib.parse import quote

from bot.domain.actors import Role
from bot.domain.ports.forge import ForgeError
from bot.github import scopes
from bot.github.fields import LOGIN, Fields
from bot.github.wire import Wire


class _Client(Protocol):
    wire: Wire


class Permissions:
    """The part of the Forge port that looks up permissions.

    Nothing is cached: a revoked role or membership must stop counting at once.
    """

    def role(self: _Client, repository: str, login: str) -> Role:
        path = f"/collaborators/{quote(login, safe='')}/permission"
        try:
            return self.wire.get(scopes.metadata(repository), path, _role)
        except ForgeError as error:
            if error.status != 404:
                raise
            return "none"

    def codeowners_errors(self: _Client, repository: str, ref: str) -> list[str]:
        try:
            return self.wire.get(
                scopes.contents(repository), "/codeowners/errors", _errors, params={"ref": ref}
            )
        except ForgeError as error:
            if error.status != 404:
                raise
            return []  # GitHub answers 404 if there is no CODEOWNERS file

    def members(self: _Client, team: str) -> frozenset[str] | None:
        """Return the logins (lower case) of a team (`@owner/team`) and its child teams; None if it cannot be read.

        An App needs the permission Members: read, a token the scope `read:org`. Without it, and for an unknown team,
        GitHub answers 403 or 404.
        """
        organization, _, slug = (quote(part, safe="") for part in team.lstrip("@").partition("/"))
        if not organization or not slug:
            return None
        try:
            logins = self.wire.listed(
                scopes.members(organization.lower()),
                f"/orgs/{organization}/teams/{slug}/members",
                lambda member: member.matching("login", LOGIN).lower(),
            )
        except ForgeError as error:
            if error.status not in (403, 404) or error.retry_after is not None:
                raise
            return None
        return frozenset(logins)


def _role(data: Fields) -> Role:
    """Read `role_name`; for an organization's custom role, the base role in `permission` (at most write)."""
    for key in ("role_name", "permission"):
        if (name := data.text(key, "")) in get_args(Role):
            return cast("Role", name)
    return "none"


def _errors(data: Fields) -> list[str]:
    return [
        f"{error.text('path', 'CODEOWNERS')}:{error.number('line')}: {error.text('kind', '')}"
        for error in data.items("errors")
    ]
