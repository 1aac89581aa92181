"""The words of a command line, and the pull request that they speak of."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Container, Sequence
from dataclasses import dataclass

_PLAIN = str.maketrans({"“": '"', "”": '"', "„": '"', "«": '"', "»": '"', "‘": "'", "’": "'"})
_DASH = re.compile(r"(?<!\S)[—–](?=[A-Za-z])")
_WORD = re.compile(r""""(?P<double>[^"]*)"(?!\S)|'(?P<single>[^']*)'(?!\S)|\S+""")

_OWNER = r"[A-Za-z0-9](?:[A-Za-z0-9-]{0,38})"
_NAME = r"[A-Za-z0-9._-]{1,100}"
_NUMBER = re.compile(r"#(\d{1,9})")
_FULL = re.compile(rf"({_OWNER}/{_NAME})(?:#(\d{{1,9}}))?")
_URL = re.compile(
    rf"<?https?://[A-Za-z0-9.:-]{{1,200}}/({_OWNER}/{_NAME})/pull/(\d{{1,9}})(?:[/?#][^\s|>]*)?(?:\|[^>]*)?>?"
)


@dataclass(frozen=True)
class Word:
    """One word and where it stands in its line (`start` to `end`, quotes included). `text` is without quotes."""

    text: str
    start: int
    end: int
    quoted: bool = False


def plain(line: str) -> str:
    """What keyboards make of a typed line put back: straight quotes, `--` for a dash before a flag, no invisible
    characters (Unicode's Cf, such as zero-width spaces and direction marks), and nothing blank at the end."""
    visible = "".join(char for char in line if unicodedata.category(char) not in ("Cf", "Cc") or char == "\t")
    return _DASH.sub("--", visible.translate(_PLAIN)).rstrip()


def outside(text: str, limit: int = 300) -> str:
    """What somebody wrote (a reason, a title) made fit to stand within a text of ours, which knows backticks, `[…](…)`
    and `<@…>`: none of these is left in it. One line, `limit` characters at most."""
    line = inert(" ".join(text[: 4 * limit].split()))
    return line if len(line) <= limit else f"{line[: limit - 1]}…"


def inert(text: str) -> str:
    """The same for a text of several lines, of which nothing is cut."""
    return text.replace("`", "'").replace("](", "] (").replace("<@", "< @")


def split(line: str) -> list[Word]:
    """The words of a line. Quotes hold a word together where they open at its start and close at its end; any other
    quote is a letter, so that `don't` needs no care."""
    words = []
    for found in _WORD.finditer(line):
        inner = found["double"] if found["double"] is not None else found["single"]
        text = found[0] if inner is None else inner
        words.append(Word(text, found.start(), found.end(), inner is not None))
    return words


def reference(
    words: Sequence[Word], known: Container[str] | None = None
) -> tuple[str | None, int | None, list[Word]]:
    """The pull request that a command speaks of, taken out of its words: (repository, number, the other words).

    It may stand anywhere, as `#12`, `acme/infra#12`, `acme/infra` or a pull request's address (Slack's `<…|…>`
    around it is understood); the first of each kind counts. The repository is lower-cased. A bare `owner/name` counts
    only if it is in `known` (lower-cased names), where that is given: a reason may well say `and/or`.
    """
    repository: str | None = None
    number: int | None = None
    rest: list[Word] = []
    for word in words:
        found = None if word.quoted else _read(word.text.rstrip(",.;:"))
        name, digits = found or (None, None)
        bare = name is not None and digits is None
        if (
            found is None
            or (bare and known is not None and name not in known)
            or (name is not None and repository is not None)
            or (digits is not None and number is not None)
        ):
            rest.append(word)
            continue
        repository, number = name or repository, digits or number
    return repository, number, rest


def _read(text: str) -> tuple[str | None, int | None] | None:
    if found := _NUMBER.fullmatch(text):
        return None, int(found[1])
    if found := _FULL.fullmatch(text) or _URL.fullmatch(text):
        return found[1].lower(), int(found[2]) if found[2] else None
    return None
