"""A command's usage line is its grammar: what help shows is what is accepted."""

from __future__ import annotations

import itertools
import re
from collections.abc import Sequence
from dataclasses import dataclass

from bot.domain.chat.tokenizer import Word
from bot.domain.suggest import hint
from bot.errors import UserError

_PART = re.compile(
    r"(?P<open>[<\[])(?:(?P<flag>--[a-z][a-z-]*)(?:\s+<(?P<value>[a-z-]+)>)?|(?P<name>[a-z|-]+)(?P<rest>\.{3}|…)?)[>\]]"
)
_MAX_WIDTH = 72
"""Characters of the line shown above the caret, so that it does not wrap on a phone or in Slack."""


class GrammarError(UserError):
    """A command does not match its usage. The text shows where, with a caret."""


@dataclass(frozen=True)
class Part:
    """One argument of a usage line. `flag` is `--name` for a flag; `takes` says that the flag takes a value."""

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

    `<x>` is required, `[x]` optional, `...` takes the rest of the line as written, `a|b` takes one of these words, and a
    flag may be anywhere.
    """

    text: str
    parts: tuple[Part, ...]

    @classmethod
    def parse(cls, text: str) -> Usage:
        """Read a usage line. Raises ValueError for one that cannot be parsed unambiguously: a mistake in a command's file."""
        if _PART.sub("", text).strip():
            raise ValueError(f"not a usage: {text!r}")
        parts = tuple(_part(found) for found in _PART.finditer(text))
        positional = [part for part in parts if not part.flag]
        for before, after in itertools.pairwise(positional):
            if before.rest or (after.required and not before.required):
                raise ValueError(f"{after.shown} is ambiguous in {text!r}")
        return cls(text, parts)

    def bind(self, words: Sequence[Word]) -> dict[str, str | None]:
        """Return the arguments by name, from all words of the line, the command itself first.

        An optional argument that is not given is None; alternatives are named as written (`on|off`); a flag is named
        without dashes and has its value or `yes`. Raises GrammarError.
        """
        bound: dict[str, str | None] = {part.name: None for part in self.parts}
        flags = {part.flag: part for part in self.parts if part.flag}
        positional = [part for part in self.parts if not part.flag]
        rest: list[Word] = []
        queue = list(words[1:])
        while queue:
            word = queue.pop(0)
            part = positional[0] if positional else None
            if not word.quoted and word.text in flags:
                self._flag(bound, flags[word.text], word, queue, words)
            elif rest or (part is not None and part.rest):
                rest.append(word)
            elif not word.quoted and word.text.startswith("--") and len(word.text) > 2:
                raise self._error(words, word, f"Unknown flag `{_short(word.text)}`{hint(word.text, flags)}")
            elif part is None:
                raise self._error(words, word, self._surplus(words[0].text, word))
            else:
                bound[part.name] = self._chosen(part, word, words)
                positional.pop(0)
        if rest:
            bound[positional.pop(0).name] = _written(rest)
        if missing := next((part for part in positional if part.required), None):
            raise self._error(words, None, f"`{missing.shown}` is missing")
        return bound

    def _surplus(self, command: str, word: Word) -> str:
        if all(part.flag for part in self.parts):
            return f"`{command}` takes no arguments"
        return f"Unexpected argument `{_short(word.text)}`"

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
        sentence = what if what.endswith("?") else f"{what}."
        usage = f"`{command} {self.text}".rstrip() + "`"
        return GrammarError(f"{sentence}\n{_caret(words, at)}", next_step=f"Usage: {usage}")


def _part(found: re.Match[str]) -> Part:
    required = found["open"] == "<"
    if found["flag"]:
        return Part(found["flag"][2:], False, flag=found["flag"], takes=bool(found["value"]))
    choices = tuple(found["name"].split("|")) if "|" in found["name"] else ()
    return Part(found["name"], required, rest=bool(found["rest"]), choices=choices)


def _written(words: Sequence[Word]) -> str:
    """Return the rest of a line as written; a single quoted word without its quotes."""
    if len(words) == 1:
        return words[0].text
    return " ".join(f'"{word.text}"' if word.quoted else word.text for word in words)


def _caret(words: Sequence[Word], at: Word | None) -> str:
    """Return the line, with carets under a word or after the end if something is missing, both indented by four."""
    line = ""
    for word in words:
        line = line.ljust(word.start) + (f'"{word.text}"' if word.quoted else word.text)
    start, width = (at.start, at.end - at.start) if at else (len(line) + 1, 1)
    skipped = max(0, start - _MAX_WIDTH // 2) if len(line) > _MAX_WIDTH else 0
    cut = line[skipped : skipped + _MAX_WIDTH]
    marks = "^" * min(width, max(1, len(cut) - (start - skipped)))
    return f"    {cut}\n    {' ' * (start - skipped)}{marks}"


def _short(text: str) -> str:
    clean = text.replace("`", "'")
    return clean if len(clean) <= 40 else f"{clean[:39]}…"
