"""Code owners: who owns which changed path, by the CODEOWNERS file of the base branch.

GitHub's rules: the file is the first of `.github/CODEOWNERS`, `CODEOWNERS`, `docs/CODEOWNERS`, below 3 MB; the last
line that matches a path counts; a line without owners makes its paths nobody's.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from typing import Any

from codeowners import path_to_regex

from bot.errors import UserError

PLACES = (".github/CODEOWNERS", "CODEOWNERS", "docs/CODEOWNERS")
LARGEST = 3 * 1024 * 1024
"""GitHub: a CODEOWNERS file is under 3 MB; another is not loaded."""

_WORD = re.compile(r"(?:\\.|\S)+")
"""A blank that belongs to a path has a backslash before it."""
_LOGIN = re.compile(r"@[A-Za-z0-9][A-Za-z0-9_-]*(/[A-Za-z0-9_.-]+)?")
_MAIL = re.compile(r"[^@\s]+@[^@\s]+")


def owned(text: bytes, paths: Iterable[str], place: str) -> tuple[dict[str, Any], ...]:
    """Sets of owners with the paths that they own: `{"paths": […], "any_of": ["@ann", "@acme/web"]}`, as
    bot.domain.approval.Approval keeps them. Paths that nobody owns are in none.

    Raises UserError where the file cannot be relied on: a rule that is not sure of its owners must not pass.
    """
    if len(text) >= LARGEST:
        raise _unsure(f"`{place}` has 3 MB or more, so GitHub does not read it")
    try:
        lines = text.decode("utf-8-sig").split("\n")
    except ValueError as error:
        raise _unsure(f"`{place}` is not UTF-8") from error
    found: dict[tuple[str, ...], list[str]] = {}
    left = sorted(set(paths))
    for pattern, owners in reversed(list(_rules(lines, place))):
        if not left:
            break
        mine = path_to_regex(pattern)
        hit = [path for path in left if mine.search(path)]
        left = [path for path in left if not mine.search(path)] if hit else left
        mails = [owner for owner in owners if not owner.startswith("@")]
        if hit and mails:
            raise _unsure(f"`{place}` names {mails[0]} as an owner of `{hit[0]}`, which is no login")
        if hit and owners:
            found.setdefault(owners, []).extend(hit)
    return tuple({"paths": sorted(found[names]), "any_of": list(names)} for names in sorted(found))


def _rules(lines: Iterable[str], place: str) -> Iterator[tuple[str, tuple[str, ...]]]:
    """Pattern and owners of each line. GitHub passes over a line that it does not understand, and so another rule
    than the one that was meant would count: that is an error here."""
    for number, line in enumerate(lines, 1):
        words: list[str] = _WORD.findall(line)
        end = next((index for index, word in enumerate(words) if word.startswith("#")), len(words))
        if not end:
            continue
        pattern, *owners = words[:end]
        if pattern.startswith("!") or re.search(r"[\[\]]|\\$", pattern):
            raise _unsure(f"`{place}` line {number}: `{pattern[:80]}` is no pattern for GitHub")
        for owner in owners:
            if not _LOGIN.fullmatch(owner) and not _MAIL.fullmatch(owner):
                raise _unsure(f"`{place}` line {number}: `{owner[:80]}` is no owner")
        yield pattern, tuple(sorted(set(owners)))


def _unsure(what: str) -> UserError:
    return UserError(
        f"{what}, so nobody can say who must approve.",
        next_step="Mend it on the base branch, or set `codeowners = false` in `envs/environments.toml`.",
    )
