"""Scopes: for which repositories a token is, and which permissions it has there.

GitHub's names and levels, as its documentation lists them for each endpoint. Permissions are grouped by what the bot
does, so that a pull request costs a handful of tokens and not one for each request: reading belongs to the group that
writes the same things, since it is done to write (find a comment before it is posted again).
"""

from __future__ import annotations

from dataclasses import dataclass

Permissions = tuple[tuple[str, str], ...]
"""Pairs of name and level (`read`, `write`). `metadata: read` is part of every token."""

METADATA: Permissions = (("metadata", "read"),)
CONTENTS: Permissions = (("contents", "read"),)
PULLS: Permissions = (("pull_requests", "read"),)
COMMENTS: Permissions = (("issues", "write"), ("pull_requests", "write"))
CHECKS: Permissions = (("checks", "write"),)
ACTIONS: Permissions = (("actions", "read"),)
DISPATCHES: Permissions = (("actions", "write"),)
STATUSES: Permissions = (("statuses", "write"),)
DEPLOYMENTS: Permissions = (("deployments", "write"),)
ISSUES: Permissions = (("issues", "write"),)
MEMBERS: Permissions = (("members", "read"),)


@dataclass(frozen=True)
class Scope:
    """What a token is good for.

    name: a repository (`owner/name`), or an organization for what belongs to no repository. also: further repositories
    of the same owner.
    """

    name: str
    permissions: Permissions
    also: tuple[str, ...] = ()

    @property
    def repositories(self) -> list[str]:
        """Names without the owner, as GitHub wants them; none for an organization."""
        if "/" not in self.name:
            return []
        return [name.partition("/")[2] for name in dict.fromkeys((self.name, *self.also))]


def metadata(repository: str) -> Scope:
    """The repository itself, and the roles of people."""
    return Scope(repository, METADATA)


def contents(repository: str, *also: str) -> Scope:
    """Files, commits and branches; git, too."""
    return Scope(repository, CONTENTS, also)


def pulls(repository: str) -> Scope:
    """Pull requests and their reviews."""
    return Scope(repository, PULLS)


def comments(repository: str) -> Scope:
    """Comments of pull requests, and reactions to them. GitHub asks for either permission, depending on the endpoint."""
    return Scope(repository, COMMENTS)


def issues(repository: str) -> Scope:
    return Scope(repository, ISSUES)


def checks(repository: str) -> Scope:
    return Scope(repository, CHECKS)


def actions(repository: str) -> Scope:
    """Runs of workflows, and their logs."""
    return Scope(repository, ACTIONS)


def dispatches(repository: str) -> Scope:
    """Workflows that the bot starts, follows and cancels."""
    return Scope(repository, DISPATCHES)


def statuses(repository: str) -> Scope:
    return Scope(repository, STATUSES)


def deployments(repository: str) -> Scope:
    return Scope(repository, DEPLOYMENTS)


def members(organization: str) -> Scope:
    """Teams."""
    return Scope(organization, MEMBERS)
