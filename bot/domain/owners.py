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
_DEEP = "(?:.*/)?"
_WILD = re.compile(r"(\(\?:\.\*/\)\?|(?:\[\^/\]\*)+)")
"""How the library writes `**/`, and one or several `*`."""
_LITERAL = re.compile(r"[^*?/\\]+")
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
    every, tried = "\n".join(left), set[str]()
    for pattern, owners in reversed(list(_rules(lines, place))):
        if not left:
            break
        if pattern in tried:
            continue
        tried.add(pattern)
        hit = _hit(pattern, left) if _may_hit(pattern, every) else []
        if hit:
            left = sorted(set(left) - set(hit))
        mails = [owner for owner in owners if not owner.startswith("@")]
        if hit and mails:
            raise _unsure(f"`{place}` names {mails[0]} as an owner of `{hit[0]}`, which is no login")
        if hit and owners:
            found.setdefault(owners, []).extend(hit)
    return tuple({"paths": sorted(found[names]), "any_of": list(names)} for names in sorted(found))


def _may_hit(pattern: str, every: str) -> bool:
    """A part without wildcards that is in none of the paths saves most of the work: 3 MB may be 300,000 lines."""
    literal = max(_LITERAL.findall(pattern), key=len, default="")
    return "\\" in pattern or literal in every


def _hit(pattern: str, paths: list[str]) -> list[str]:
    mine = matcher(pattern)
    return [path for path in paths if mine.search(path)]


def matcher(pattern: str) -> re.Pattern[str]:
    """What the library makes of a pattern, with two differences: a wildcard crosses line ends too (a path may have
    some, and must not escape its owners by that), and the time to match grows with the length of a path and no faster.

    Each wildcard takes as little as it can and never more (`(?>…)`): of a glob's parts the first place that fits is as
    good as any, but for the last one after a `**`.
    """
    first, *rest = _WILD.split(path_to_regex(pattern).pattern)
    wilds = list(zip(rest[::2], rest[1::2], strict=True))
    deep = [index for index, (wild, _) in enumerate(wilds) if wild == _DEEP]
    text, opened = first, False
    for index, (wild, after) in enumerate(wilds):
        if wild != _DEEP:
            text += f"(?>[^/]*?{after})"
            continue
        text += ")" if opened else ""
        opened = index < deep[-1]
        text += ("(?>(?:.*?/)??" if opened else "(?:.*/)?") + after
    return re.compile(text, re.DOTALL)


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
