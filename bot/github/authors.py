"""Look up who wrote commits: authors, co-authors and committers."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import Protocol
from urllib.parse import quote

from bot.domain.ports.forge import ForgeError
from bot.github import scopes
from bot.github.fields import LOGIN, Fields
from bot.github.wire import Wire

WEB_FLOW = "web-flow"
"""GitHub's own account: the committer of every commit made on its web pages."""

COMMITS_PER_QUERY = 50
"""GitHub allows 500,000 nodes in a GraphQL query; this one reads up to 100 authors of each commit."""

_PEOPLE = "fragment people on Commit { authors(first: 100) { nodes { user { login } } } committer { user { login } } }"

_NOREPLY = re.compile(
    r"^co-authored-by:.*<(?:\d+\+)?([a-z0-9_-]{1,100})@users\.noreply\.[a-z0-9.-]+>\s*$",
    re.IGNORECASE | re.MULTILINE,
)
"""A trailer with GitHub's noreply address: `<id>+<login>@users.noreply.<host>`, formerly without the id."""


class _Client(Protocol):
    wire: Wire


class Authors:
    """The part of the Forge port that looks up commit authors."""

    def authors(self: _Client, repository: str, commits: Sequence[str]) -> frozenset[str]:
        """Return the logins (lower case) of the people who wrote `commits`.

        GraphQL resolves `Co-authored-by` trailers itself. A server without GraphQL is asked by REST, which reports author
        and committer only: of co-authors, those with GitHub's own noreply address are found. E-mail addresses without a
        GitHub account are left out. Raises ForgeError.
        """
        logins: set[str] = set()
        for start in range(0, len(commits), COMMITS_PER_QUERY):
            batch = commits[start : start + COMMITS_PER_QUERY]
            try:
                logins |= _query_authors(self.wire, repository, batch)
            except ForgeError as error:
                if error.status not in (404, 405, 501):
                    raise
                logins.update(
                    login for commit in batch for login in _rest_authors(self.wire, repository, commit)
                )
        return frozenset(login.lower() for login in logins if login != WEB_FLOW)


def _query_authors(wire: Wire, repository: str, commits: Sequence[str]) -> set[str]:
    owner, _, name = repository.partition("/")
    aliases = [f"c{index}" for index in range(len(commits))]
    parameters = "".join(f", ${alias}: GitObjectID!" for alias in aliases)
    objects = " ".join(f"{alias}: object(oid: ${alias}) {{ ...people }}" for alias in aliases)
    query = (
        f"query($owner: String!, $name: String!{parameters}) "
        f"{{ repository(owner: $owner, name: $name) {{ {objects} }} }} {_PEOPLE}"
    )
    variables = {"owner": owner, "name": name, **dict(zip(aliases, commits, strict=True))}

    def read(data: Fields) -> set[str]:
        found = data.fields("repository")
        return {login for alias in aliases for login in _commit_logins(found.fields(alias))}

    return wire.graphql(scopes.contents(repository), query, variables, read)


def _commit_logins(commit: Fields) -> Iterator[str]:
    actors = commit.fields("authors").items("nodes")
    if commit.has("committer"):
        actors.append(commit.fields("committer"))
    yield from (actor.fields("user").matching("login", LOGIN) for actor in actors if actor.has("user"))


def _rest_authors(wire: Wire, repository: str, commit: str) -> list[str]:
    one_file = {"per_page": "1"}  # GitHub includes the commit's changed files in the response
    path = f"/commits/{quote(commit, safe='')}"
    return wire.get(scopes.contents(repository), path, _rest_logins, params=one_file)


def _rest_logins(data: Fields) -> list[str]:
    people = (data.fields(key) for key in ("author", "committer") if data.has(key))
    helpers = _NOREPLY.findall(data.fields("commit").text("message", "") if data.has("commit") else "")
    return [person.matching("login", LOGIN) for person in people if person.has("login")] + helpers
