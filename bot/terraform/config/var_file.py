"""Read var files: the values that they set, with their types. Only literals are allowed in them."""

from __future__ import annotations

import json
import posixpath
import textwrap
from collections.abc import Iterator, Mapping
from typing import Any

from bot.domain.plans import read_json
from bot.domain.ports.terraform import VariableValue
from bot.domain.sanitize import outside
from bot.errors import UserError
from bot.terraform.config.hcl import parse, string_value
from bot.terraform.config.hcl_tokens import ParseError, Token

_DEEPEST = 50
"""Levels of lists and maps. Deeper ones are shown as they are written."""
_LARGEST = 1 << 20
"""Bytes of a var file. Anybody may have written it, and every look at a pull request may read it."""
_WORDS = {"true": "bool", "false": "bool", "null": "null"}


def var_file_values(path: str, content: bytes) -> Iterator[VariableValue]:
    """Yield what a `.tfvars` or `.tfvars.json` file sets. Raises UserError if it cannot be parsed, or is larger than 1 MB."""
    read = _from_json if path.endswith(".json") else _from_hcl
    try:
        yield from read(path, content)
    except (ParseError, ValueError, RecursionError) as error:
        raise UserError(
            f"`{outside(posixpath.basename(path))}` cannot be parsed: {error}.",
            next_step="Fix the file and push.",
        ) from error


def _limited(content: bytes) -> bytes:
    if len(content) > _LARGEST:
        raise ParseError(f"larger than {_LARGEST >> 20} MB")
    return content


def _from_hcl(path: str, content: bytes) -> Iterator[VariableValue]:
    for name, tokens in parse(_limited(content)).attributes.items():
        kind, text = _literal(tokens)
        yield VariableValue(name, kind, text, path, tokens[0].line if tokens else 0)


def _from_json(path: str, content: bytes) -> Iterator[VariableValue]:
    document = read_json(_limited(content))
    if not isinstance(document, dict):
        raise ParseError("not a JSON object")
    for name, value in document.items():
        yield VariableValue(
            name, _json_type(value), json.dumps(value, ensure_ascii=False, sort_keys=True), path
        )


def _json_type(value: Any) -> str:
    if value is None or isinstance(value, bool):
        return "null" if value is None else "bool"
    if isinstance(value, Mapping):
        return "map"
    return "list" if isinstance(value, list) else "string" if isinstance(value, str) else "number"


def _literal(tokens: tuple[Token, ...]) -> tuple[str, str]:
    """Return the type of a value and its text, which is the same for the same value however it is written. What is no
    literal has the type `expression`."""
    try:
        return _Reader(tokens).whole()
    except ParseError:
        words = (f'"{token.text}"' if token.kind == "string" else token.text for token in tokens)
        return "expression", " ".join(words)


class _Reader:
    def __init__(self, tokens: tuple[Token, ...]) -> None:
        self._tokens, self._position = tokens, 0

    def whole(self) -> tuple[str, str]:
        """Return the type and text of the one value that the tokens are. Raises ParseError."""
        found = self.value(0)
        if self.rest():
            raise ParseError("more than one value")
        return found

    def rest(self) -> bool:
        return self._position < len(self._tokens)

    def _take(self) -> Token:
        if not self.rest():
            raise ParseError("the value ends early")
        self._position += 1
        return self._tokens[self._position - 1]

    def _skip(self, *symbols: str) -> bool:
        found = self.rest() and any(self._tokens[self._position].is_symbol(one) for one in symbols)
        self._position += found
        return found

    def value(self, depth: int) -> tuple[str, str]:
        if depth > _DEEPEST:
            raise ParseError("nested too deeply")
        token = self._take()
        if token.kind == "string" and (text := string_value(token)) is not None:
            return "string", json.dumps(text, ensure_ascii=False)
        if token.kind == "heredoc":
            return "string", json.dumps(_heredoc(token.text), ensure_ascii=False)
        if token.kind == "name" and token.text in _WORDS:
            return _WORDS[token.text], token.text
        if token.is_symbol("["):
            return "list", f"[{', '.join(self._items(depth))}]"
        if token.is_symbol("{"):
            return "map", f"{{{', '.join(sorted(self._entries(depth)))}}}"
        if token.is_symbol("-"):
            return "number", f"-{_number(self._take())}"
        return "number", _number(token)

    def _items(self, depth: int) -> Iterator[str]:
        while not self._skip("]"):
            yield self.value(depth + 1)[1]
            self._skip(",")

    def _entries(self, depth: int) -> Iterator[str]:
        while not self._skip("}"):
            key = self._take()
            name = string_value(key) if key.kind == "string" else key.text if key.kind == "name" else None
            if name is None or not self._skip("=", ":"):
                raise ParseError("not a map")
            yield f"{json.dumps(name, ensure_ascii=False)}: {self.value(depth + 1)[1]}"
            self._skip(",")


def _number(token: Token) -> str:
    """As JSON, so that `1.0` and `1` are what Terraform takes them for: the same."""
    try:
        value = float(token.text)
    except ValueError:
        raise ParseError("not a number") from None
    return str(int(value)) if value.is_integer() and abs(value) < 2**53 else token.text


def _heredoc(text: str) -> str:
    head, _, body = text.partition("\n")
    lines = body.split("\n")[:-1]
    content = "".join(f"{line}\n" for line in lines)
    return textwrap.dedent(content) if head.startswith("<<-") else content
