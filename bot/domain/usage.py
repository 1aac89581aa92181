"""A command's usage line is its grammar: what help shows is what is accepted."""

from __future__ import annotations

import itertools
import re
from collections.abc import Sequence
from dataclasses import dataclass

from bot.domain.suggest import hint
from bot.domain.words import Word
from bot.errors import UserError

_PART = re.compile(
    r"(?P<open>[<\[])(?:(?P<flag>--[a-z][a-z-]*)(?:\s+<(?P<value>[a-z-]+)>)?|(?P<name>[a-z|-]+)(?P<rest>\.{3}|…)?)[>\]]"
)
_WIDEST = 72
"""Characters of the line that are shown above the caret, so that it does not wrap on a phone or in Slack."""


class GrammarError(UserError):
    """A command is not written as its usage says. The text shows the place with a caret under it."""


@dataclass(frozen=True)
class Part:
    """One place for a word. `flag` is `--name` where it is one; `takes` says that the flag takes a value."""

    name: str
    required: bool
    rest: bool = False
    choices: tuple[str, ...] = ()
    flag: str = ""
    takes: bool = False

    @property
    def shown(self) -> str:
        return f"<{self.name}>"


@dataclass(frozen=True)
class Usage:
    """`<env> [stack]`, `<env> [reason...]`, `[on|off]`, `[--force]`, `[--for <duration>]`.

    `<x>` is required, `[x]` optional, `...` takes the rest of the line as it is written, `a|b` takes one of these
    words, and a flag may stand anywhere.
    """

    text: str
    parts: tuple[Part, ...]

    @classmethod
    def parse(cls, text: str) -> Usage:
        """Raises ValueError for a usage that could not be followed: that is a mistake in a command's file."""
        if _PART.sub("", text).strip():
            raise ValueError(f"not a usage: {text!r}")
        parts = tuple(_part(found) for found in _PART.finditer(text))
        places = [part for part in parts if not part.flag]
        for before, after in itertools.pairwise(places):
            if before.rest or (after.required and not before.required):
                raise ValueError(f"{after.shown} can never be told apart in {text!r}")
        return cls(text, parts)

    def bind(self, words: Sequence[Word]) -> dict[str, str | None]:
        """Values by name, from all words of the line, the command itself first.

        Optional ones that are not given are None; alternatives go by their name as it is written (`on|off`); a flag
        goes by its name without dashes, with its value or `yes`. Raises GrammarError.
        """
        bound: dict[str, str | None] = {part.name: None for part in self.parts}
        flags = {part.flag: part for part in self.parts if part.flag}
        places = [part for part in self.parts if not part.flag]
        rest: list[Word] = []
        queue = list(words[1:])
        while queue:
            word = queue.pop(0)
            part = places[0] if places else None
            if not word.quoted and word.text in flags:
                self._flag(bound, flags[word.text], word, queue, words)
            elif rest or (part is not None and part.rest):
                rest.append(word)
            elif not word.quoted and word.text.startswith("--") and len(word.text) > 2:
                raise self._error(
                    words, word, f"There is no flag `{_short(word.text)}`{hint(word.text, flags)}"
                )
            elif part is None:
                raise self._error(words, word, f"`{_short(word.text)}` is one word too many")
            else:
                bound[part.name] = self._chosen(part, word, words)
                places.pop(0)
        if rest:
            bound[places.pop(0).name] = _written(rest)
        if missing := next((part for part in places if part.required), None):
            raise self._error(words, None, f"`{missing.shown}` is missing")
        return bound

    def _flag(
        self,
        bound: dict[str, str | None],
        part: Part,
        word: Word,
        queue: list[Word],
        words: Sequence[Word],
    ) -> None:
        if part.takes and not queue:
            raise self._error(words, None, f"`{word.text}` needs a value")
        bound[part.name] = queue.pop(0).text if part.takes else "yes"

    def _chosen(self, part: Part, word: Word, words: Sequence[Word]) -> str:
        if part.choices and word.text.lower() not in part.choices:
            allowed = " or ".join(f"`{choice}`" for choice in part.choices)
            meant = hint(word.text, part.choices)
            raise self._error(words, word, f"`{_short(word.text)}` is not {allowed}{meant}")
        return word.text.lower() if part.choices else word.text

    def _error(self, words: Sequence[Word], at: Word | None, what: str) -> GrammarError:
        command = words[0].text if words else ""
        ended = what if what.endswith("?") else f"{what}."
        shown = f"{ended}\n{_caret(words, at)}"
        return GrammarError(shown, next_step=f"Write it as `{command} {self.text}".rstrip() + "`.")


def _part(found: re.Match[str]) -> Part:
    required = found["open"] == "<"
    if found["flag"]:
        return Part(found["flag"][2:], False, flag=found["flag"], takes=bool(found["value"]))
    choices = tuple(found["name"].split("|")) if "|" in found["name"] else ()
    return Part(found["name"], required, rest=bool(found["rest"]), choices=choices)


def _written(words: Sequence[Word]) -> str:
    """The rest of a line as it was written; a single quoted word without its quotes."""
    if len(words) == 1:
        return words[0].text
    return " ".join(f'"{word.text}"' if word.quoted else word.text for word in words)


def _caret(words: Sequence[Word], at: Word | None) -> str:
    """The line, and carets under a word, or behind the end for what is missing; both indented by four."""
    line = ""
    for word in words:
        line = line.ljust(word.start) + (f'"{word.text}"' if word.quoted else word.text)
    start, width = (at.start, at.end - at.start) if at else (len(line) + 1, 1)
    skipped = max(0, start - _WIDEST // 2) if len(line) > _WIDEST else 0
    cut = line[skipped : skipped + _WIDEST]
    marks = "^" * min(width, max(1, len(cut) - (start - skipped)))
    return f"    {cut}\n    {' ' * (start - skipped)}{marks}"


def _short(text: str) -> str:
    clean = text.replace("`", "'")
    return clean if len(clean) <= 40 else f"{clean[:39]}…"
