"""Who wrote commits: their authors, co-authors and committers."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Protocol
from urllib.parse import quote

from bot.domain.ports.forge import ForgeError
from bot.github.fields import LOGIN, Fields
from bot.github.wire import Wire

WEB_FLOW = "web-flow"
"""GitHub: the committer of what people commit on its pages. It is nobody's own account."""

AT_ONCE = 50
"""Commits in one query. GitHub: 500,000 nodes a query at most; these are 50 × 100."""

_PEOPLE = "fragment people on Commit { authors(first: 100) { nodes { user { login } } } committer { user { login } } }"


class _Bot(Protocol):
    wire: Wire


class Authors:
    """The port's method on commits' authors."""

    def authors(self: _Bot, repository: str, commits: Sequence[str]) -> frozenset[str]:
        """By GraphQL, where GitHub resolves `Co-authored-by` itself; where a server has none, by REST, which knows
        author and committer only. An address that is nobody's at GitHub is left out: null, or an empty object."""
        found: set[str] = set()
        for start in range(0, len(commits), AT_ONCE):
            part = commits[start : start + AT_ONCE]
            try:
                found |= _asked(self.wire, repository, part)
            except ForgeError as error:
                if error.status not in (404, 405, 501):
                    raise
                found.update(login for commit in part for login in _one(self.wire, repository, commit))
        return frozenset(login.lower() for login in found if login != WEB_FLOW)


def _asked(wire: Wire, repository: str, commits: Sequence[str]) -> set[str]:
    owner, _, name = repository.partition("/")
    names = [f"c{index}" for index in range(len(commits))]
    given = "".join(f", ${key}: GitObjectID!" for key in names)
    asked = " ".join(f"{key}: object(oid: ${key}) {{ ...people }}" for key in names)
    query = (
        f"query($owner: String!, $name: String!{given}) "
        f"{{ repository(owner: $owner, name: $name) {{ {asked} }} }} {_PEOPLE}"
    )
    variables = {"owner": owner, "name": name, **dict(zip(names, commits, strict=True))}

    def read(data: Fields) -> set[str]:
        there = data.fields("repository")
        return {login for key in names for login in _people(there.fields(key))}

    return wire.graphql(repository, query, variables, read)


def _people(commit: Fields) -> Iterator[str]:
    actors = commit.fields("authors").items("nodes")
    if commit.has("committer"):
        actors.append(commit.fields("committer"))
    yield from (actor.fields("user").matching("login", LOGIN) for actor in actors if actor.has("user"))


def _one(wire: Wire, repository: str, commit: str) -> list[str]:
    one_file = {"per_page": "1"}  # GitHub sends the commit's changed files along
    return wire.get(repository, f"/commits/{quote(commit, safe='')}", _both, params=one_file)


def _both(data: Fields) -> list[str]:
    people = (data.fields(key) for key in ("author", "committer") if data.has(key))
    return [person.matching("login", LOGIN) for person in people if person.has("login")]
