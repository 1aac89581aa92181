"""Errors that GitHub reports in a CODEOWNERS file."""

from __future__ import annotations

import re
from typing import Any

from bot.playground.github import git
from bot.playground.github.access import role_of
from bot.playground.github.records import Repo
from bot.playground.github.state import ROLES, Refusal, State

PATHS = (".github/CODEOWNERS", "CODEOWNERS", "docs/CODEOWNERS")
"""Where GitHub looks, in this order. The first file found counts."""

_OWNER = re.compile(r"@[A-Za-z0-9_-]+(/[A-Za-z0-9_-]+)?|[^@\s]+@[^@\s]+\.[^@\s]+")


def errors(state: State, repo: Repo, ref: str) -> list[dict[str, Any]]:
    """Return the errors of the file at `ref`, in line order. Raises Refusal 404 if there is no file."""
    sha = git.resolve(repo.path, ref)
    for path in PATHS if sha else ():
        kind = git.run(repo.path, "cat-file", "-t", f"{sha}:{path}", ok=(0, 128)).decode().strip()
        if kind == "blob":
            text = git.run(repo.path, "cat-file", "blob", f"{sha}:{path}").decode(errors="replace")
            lines = enumerate(text.splitlines(), 1)
            return [
                found for number, line in lines for found in _line_errors(state, repo, path, number, line)
            ]
    raise Refusal(404, "Not Found")


def _line_errors(state: State, repo: Repo, path: str, number: int, line: str) -> list[dict[str, Any]]:
    words = line.partition("#")[0].split()
    if not words:
        return []
    pattern, *named = words
    found = []
    if pattern.startswith("!") or "[" in pattern:
        found.append(("Invalid pattern", pattern))
    for owner in named:
        if not _OWNER.fullmatch(owner):
            found.append(("Invalid owner", owner))
        elif owner.startswith("@") and not _may_write(state, repo, owner[1:]):
            found.append(("Unknown owner", owner))
    return [
        {
            "line": number,
            "column": line.index(word) + 1,
            "source": line,
            "kind": kind,
            "suggestion": None,
            "message": f"{kind} on line {number}:\n\n  {line}\n  {' ' * line.index(word)}^",
            "path": path,
        }
        for kind, word in found
    ]


def _may_write(state: State, repo: Repo, name: str) -> bool:
    """Whether GitHub accepts an owner: a user or a team of the same organisation that has write access."""
    org, slash, slug = name.lower().partition("/")
    if not slash:
        user = state.users.get(name.lower())
        return user is not None and _writes(role_of(repo, user))
    named = [team for team in state.teams.values() if (team.org.login.lower(), team.slug) == (org, slug)]
    return any(_writes(role) for team, role in repo.teams for one in named if team in one.with_parents())


def _writes(role: str) -> bool:
    return ROLES.index(role) >= ROLES.index("write")
