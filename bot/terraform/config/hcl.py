"""Parse the structure of HCL: blocks, their labels, and the tokens of their attributes, without evaluating anything.

Written for hostile input: a backend block must not be hidden by comments, heredocs, templates in strings or odd
spelling. Whatever cannot be parsed raises ParseError; nothing is skipped silently.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any

from bot.terraform.config.hcl_tokens import ParseError, Token, tokenize


@dataclass
class Block:
    """A block, or a file (with an empty type).

    attributes: name → tokens of the expression. lines: first and last line, counted from 1.
    """

    type: str = ""
    labels: tuple[str, ...] = ()
    attributes: dict[str, tuple[Token, ...]] = field(default_factory=dict)
    blocks: list[Block] = field(default_factory=list)
    lines: tuple[int, int] = (0, 0)

    def named(self, *types: str) -> Iterator[Block]:
        """Return the nested blocks of these types, one level deep."""
        return (block for block in self.blocks if block.type in types)

    def text(self, attribute: str) -> str | None:
        """Return the value of a plain string; None if there is none, or if it would have to be evaluated."""
        tokens = self.attributes.get(attribute, ())
        return string_value(tokens[0]) if len(tokens) == 1 and tokens[0].kind == "string" else None

    def outline(self, *attributes: str) -> list[Any]:
        """Return the content without line numbers and layout; if names are given, of these attributes only."""
        names = attributes or sorted(self.attributes)
        values = [(name, [token[:2] for token in self.attributes.get(name, ())]) for name in names]
        inner = [] if attributes else [block.outline() for block in self.blocks]
        return [self.type, self.labels, values, inner]


_TEMPLATE = re.compile(r"(?<!\$)\$\{|(?<!%)%\{")
_ESCAPE = re.compile(r'\\(?:([nrt"\\])|u([0-9a-fA-F]{4})|U([0-9a-fA-F]{8}))')
_LETTERS = {"n": "\n", "r": "\r", "t": "\t", '"': '"', "\\": "\\"}
_MAX_CACHED = 64 << 10
"""Bytes of the largest file whose result is cached."""
_MAX_DEPTH = 200
"""Levels of nested blocks; Terraform's language needs only a handful."""


def string_value(token: Token) -> str | None:
    """Return the value of a string token; None if it would have to be evaluated."""
    if _TEMPLATE.search(token.text):
        return None
    return _unescape(token.text).replace("$${", "${").replace("%%{", "%{")


def parse(content: bytes) -> Block:
    """Parse a `.tf` file. The result is shared and must not be changed. Raises ParseError."""
    return _parse_cached(content) if len(content) <= _MAX_CACHED else _parse(content)


def _parse(content: bytes) -> Block:
    try:
        source = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise ParseError(f"not UTF-8: {error}") from error
    return _Parser(list(tokenize(source))).body(Block(), depth=0)


_parse_cached = lru_cache(maxsize=512)(_parse)
"""One init parses each file several times, and most files have not changed since the plan before."""


class _Parser:
    def __init__(self, tokens: list[Token]) -> None:
        self.tokens = tokens
        self.position = 0

    def take(self) -> Token:
        if self.position >= len(self.tokens):
            raise ParseError("the file ends within the first line of a block or an attribute")
        self.position += 1
        return self.tokens[self.position - 1]

    def body(self, block: Block, depth: int) -> Block:
        """Parse into `block` up to its closing brace, or the end of the file."""
        if depth > _MAX_DEPTH:
            raise ParseError("blocks are nested too deeply")
        while depth or self.position < len(self.tokens):
            if self.position >= len(self.tokens):
                raise ParseError(
                    f"the `{block.type}` block that starts on line {block.lines[0]} is not closed"
                )
            token = self.take()
            if token.kind == "newline":
                continue
            if depth and token.is_symbol("}"):
                break
            if token.kind != "name":
                raise ParseError(f"line {token.line} is neither a block nor an attribute")
            self._item(block, token, depth)
        return block

    def _item(self, block: Block, name: Token, depth: int) -> None:
        labels = []
        while (token := self.take()).kind in ("name", "string"):
            labels.append(_unescape(token.text) if token.kind == "string" else token.text)
        if token.is_symbol("{"):
            inner = self.body(Block(name.text, tuple(labels), lines=(name.line, 0)), depth + 1)
            inner.lines = (name.line, self.tokens[self.position - 1].line)
            block.blocks.append(inner)
        elif token.is_symbol("=") and not labels:
            block.attributes[name.text] = self._expression()
        else:
            raise ParseError(f"line {token.line} is neither a block nor an attribute")

    def _expression(self) -> tuple[Token, ...]:
        found: list[Token] = []
        depth = 0
        while self.position < len(self.tokens):
            token = self.tokens[self.position]
            if not depth and (token.kind == "newline" or token.is_symbol("}")):
                break
            depth += (token.text in "([{") - (token.text in ")]}") if token.kind == "other" else 0
            self.position += 1
            if token.kind != "newline":
                found.append(token)
        return tuple(found)


def _unescape(text: str) -> str:
    def letter(match: re.Match[str]) -> str:
        return _LETTERS[match[1]] if match[1] else chr(int(match[2] or match[3], 16))

    try:
        return _ESCAPE.sub(letter, text)
    except (ValueError, OverflowError) as error:
        raise ParseError("an escape sequence is not a valid character") from error
