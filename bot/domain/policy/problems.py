"""Problems of a policy file, with their lines. Pydantic's errors become sentences here and nowhere else."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from pydantic_core import ErrorDetails

from bot.domain.policy.toml_lines import Lines, Location, Path, header
from bot.domain.policy.validators import Wrong
from bot.domain.suggest import hint

MOST = 200
"""Problems that are kept. A file with more has one cause."""

_UNKNOWN = ("extra_forbidden", "unexpected_keyword_argument", "multiple_argument_values")
_NO_TABLE = ("dict_type", "model_type", "dataclass_type")
_SENTENCES = {
    "string_type": "must be a string",
    "bool_type": "must be true or false",
    "too_long": "has more than {max_length} tables",
}


@dataclass(frozen=True)
class Vocabulary:
    """What a file's sentences are made of. examples: a line or value for each key that may be missing or must be a table.
    named: the top-level tables whose subtables people name, each with such a name. known: the keys of the table at a path."""

    examples: Mapping[str, str]
    named: Mapping[str, str]
    known: Callable[[Location], list[str]]


class Problems(list[tuple[int, str]]):
    """What is wrong, with lines. Empty where nothing is."""

    def __init__(self, source: str, lines: Lines, words: Vocabulary) -> None:
        super().__init__()
        self._source = source
        self._lines = lines
        self._words = words

    def add(self, path: Location, what: str) -> None:
        if len(self) < MOST:
            self.append((self._lines.of(path), what))

    def report(self, table: Path, errors: list[ErrorDetails]) -> None:
        """Add what pydantic found in the table at this path. Unknown keys come first: a typo is often the reason for
        what is missing."""
        ordered = sorted(errors, key=lambda error: error["type"] not in _UNKNOWN)
        for error in ordered[: MOST - len(self)]:
            where = (*table, *error["loc"])
            self.add(where, _Sentences(self._words).of(where, error))

    def told(self) -> list[str]:
        """One text for each, in the order of the file."""
        return [
            f"{self._source} line {line}: {what}" if line else f"{self._source}: {what}"
            for line, what in sorted(self, key=lambda problem: problem[0])
        ]


def before_lists(where: Location) -> Path:
    """The keys up to the first list index: the line of a list's item is not known."""
    keys: list[str] = []
    for part in where:
        if isinstance(part, int):
            break
        keys.append(part)
    return tuple(keys)


@dataclass(frozen=True)
class _Sentences:
    words: Vocabulary

    def of(self, where: Location, error: ErrorDetails) -> str:
        """Error types without a sentence of their own are told as "is not valid", never in pydantic's words."""
        kind, context = error["type"], error.get("ctx", {})
        key = str(where[-1])
        if kind in _UNKNOWN:
            table = where[:-1]
            return f"unknown key `{key[:60]}`{self._place(table)}{hint(key, self.words.known(table))}"
        if kind == "missing":
            return f"{self._subject(where[:-1])} has no `{key}`, such as `{self._example(where)}`"
        if kind in _NO_TABLE:
            return self._no_table(where)
        if isinstance(wrong := context.get("error"), Wrong):
            return f"{self._subject(where)} {wrong}"
        return f"{self._subject(where)} {_SENTENCES.get(kind, 'is not valid').format(**context)}"

    def _subject(self, where: Location) -> str:
        """`[env.prod]`, `approvals`, `when_modified` item 2, or `smoke` item 1: `http`."""
        keys = before_lists(where)
        if len(where) == len(keys) == 2 and keys[0] in self.words.named:
            return header(keys)
        text = ""
        for part in where[len(keys) - 1 :]:
            text += f" item {part + 1}" if isinstance(part, int) else f"{': ' if text else ''}`{part[:60]}`"
        return text

    def _example(self, where: Location) -> str:
        """The key with a value: `plan` means something else in each cloud."""
        key, examples = str(where[-1]), self.words.examples
        return examples.get(f"{where[-2]}.{key}") or examples[key]

    def _place(self, table: Location) -> str:
        if not table:
            return ""
        keys = before_lists(table)
        return f" in {self._subject(table)}" if len(keys) < len(table) else f" in {header(keys).strip('`')}"

    def _no_table(self, where: Location) -> str:
        keys, examples = before_lists(where), self.words.examples
        if isinstance(where[-1], int):
            return f"{self._subject(where)} must be a table such as `{examples[str(where[-2])]}`"
        if len(keys) == 1:
            if keys[0] not in self.words.named:
                return f"`{keys[0]}` must be a table: `[{keys[0]}]`"
            return f"`{keys[0]}` must be tables such as `[{keys[0]}.{self.words.named[keys[0]]}]`"
        if len(keys) > 2 and keys[-1] in examples:
            return f"{self._subject(where)} must be a table such as `{examples[keys[-1]]}`"
        return f"`{header(keys)[2:-2]}` must be a table: {header(keys)}"
