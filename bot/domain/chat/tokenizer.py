"""Split a command line into words, and find the pull request that they name."""

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
    """One word and its position in the line (`start` to `end`, quotes included). `text` is without quotes."""

    text: str
    start: int
    end: int
    quoted: bool = False


def normalise(line: str) -> str:
    """Undo what keyboards do to a typed line: straight quotes, `--` for a dash before a flag, no invisible characters
    (Unicode's Cf, such as zero-width spaces and direction marks), no trailing blanks."""
    visible = "".join(char for char in line if unicodedata.category(char) not in ("Cf", "Cc") or char == "\t")
    return _DASH.sub("--", visible.translate(_PLAIN)).rstrip()


def split_words(line: str) -> list[Word]:
    """Split a line into words. Quotes group words if they open at the start of a word and close at the end of one; any
    other quote is a letter, so that `don't` needs no escaping."""
    words = []
    for found in _WORD.finditer(line):
        inner = found["double"] if found["double"] is not None else found["single"]
        text = found[0] if inner is None else inner
        words.append(Word(text, found.start(), found.end(), inner is not None))
    return words


def find_reference(
    words: Sequence[Word], known: Container[str] | None = None
) -> tuple[str | None, int | None, list[Word]]:
    """Return the pull request that a command names, and its other words: (repository, number, words).

    It may be anywhere, as `#12`, `acme/infra#12`, `acme/infra` or a pull request's address, also in Slack's `<…|…>`; the
    first of each kind counts. The repository is in lower case. If `known` (names in lower case) is given, a bare
    `owner/name` counts only if it is one of them: a reason may well say `and/or`.
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
