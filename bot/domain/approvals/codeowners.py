"""Code owners: who owns which changed path, according to the CODEOWNERS file of the default branch.

GitHub's rules: the file is the first of `.github/CODEOWNERS`, `CODEOWNERS`, `docs/CODEOWNERS`, under 3 MB; the last line
that matches a path counts; a line without owners means that its paths have none.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

from codeowners import path_to_regex

from bot.domain.approvals.model import OwnerSet
from bot.errors import UserError

PLACES = (".github/CODEOWNERS", "CODEOWNERS", "docs/CODEOWNERS")
LARGEST = 3 * 1024 * 1024
"""Bytes. GitHub does not load a CODEOWNERS file of 3 MB or more."""

_WORD = re.compile(r"(?:\\.|\S)+")
"""A space in a path is escaped with a backslash."""
_DEEP = "(?:.*/)?"
_WILD = re.compile(r"(\(\?:\.\*/\)\?|(?:\[\^/\]\*)+)")
"""What the library makes of `**/` and of one or more `*`."""
_LITERAL = re.compile(r"[^*?/\\]+")
_LOGIN = re.compile(r"@[A-Za-z0-9][A-Za-z0-9_-]*(/[A-Za-z0-9_.-]+)?")
_MAIL = re.compile(r"[^@\s]+@[^@\s]+")


def owned_paths(text: bytes, paths: Iterable[str], place: str) -> tuple[OwnerSet, ...]:
    """Sets of owners with the paths that they own: `{"paths": […], "any_of": ["@ann", "@acme/web"]}`, as
    bot.domain.approvals.model.Approval keeps them. Paths that nobody owns are in none.

    Raises UserError where the owners are not certain, so that the approval is refused rather than skipped.
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
            raise _unsure(f"`{place}` names {mails[0]} as an owner of `{hit[0]}`, which is not a login")
        if hit and owners:
            found.setdefault(owners, []).extend(hit)
    return tuple({"paths": sorted(found[names]), "any_of": list(names)} for names in sorted(found))


def _may_hit(pattern: str, every: str) -> bool:
    """Whether the pattern's longest part without wildcards is in any path. This saves most of the work: 3 MB may be
    300,000 lines."""
    literal = max(_LITERAL.findall(pattern), key=len, default="")
    return "\\" in pattern or literal in every


def _hit(pattern: str, paths: list[str]) -> list[str]:
    mine = matcher(pattern)
    return [path for path in paths if mine.search(path)]


def matcher(pattern: str) -> re.Pattern[str]:
    """Compile a pattern as the library does, with two differences: wildcards match line breaks too, since a path may
    contain them and must not lose its owners by that; and the time to match is linear in the length of the path.

    Each wildcard is lazy and never backtracks (`(?>…)`): for the parts of a glob the first match is as good as any other,
    except for the part after the last `**`.
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
    """Yield pattern and owners of each line. GitHub skips a line that it does not understand, so that a rule other than
    the intended one would count. Here it is an error."""
    for number, line in enumerate(lines, 1):
        words: list[str] = _WORD.findall(line)
        end = next((index for index, word in enumerate(words) if word.startswith("#")), len(words))
        if not end:
            continue
        pattern, *owners = words[:end]
        if pattern.startswith("!") or re.search(r"[\[\]]|\\$", pattern):
            raise _unsure(f"`{place}` line {number}: `{pattern[:80]}` is not a pattern that GitHub accepts")
        for owner in owners:
            if not _LOGIN.fullmatch(owner) and not _MAIL.fullmatch(owner):
                raise _unsure(f"`{place}` line {number}: `{owner[:80]}` is not a valid owner")
        yield pattern, tuple(sorted(set(owners)))


def _unsure(what: str) -> UserError:
    return UserError(
        f"{what}, so nobody can say who must approve.",
        next_step="Fix it on the default branch, or set `codeowners = false` in `envs/environments.toml`.",
    )
