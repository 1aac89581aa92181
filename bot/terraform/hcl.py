"""Reads the outline of HCL: blocks, their labels, and the tokens of their attributes, without evaluating anything.

Written against hostile input: what decides about a backend must not be hidden by comments, heredocs, templates in
strings or odd spelling. What cannot be read raises Unreadable; nothing is skipped in silence.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any, NamedTuple


class Unreadable(ValueError):
    """This is no HCL (or JSON) that Terraform would take either."""


class Token(NamedTuple):
    """kind: `name`, `string` (text: its raw content), `heredoc`, `newline`, or `other` (one sign, or a number)."""

    kind: str
    text: str
    line: int = 0

    def sign(self, text: str) -> bool:
        return self.kind == "other" and self.text == text


@dataclass
class Block:
    """A block, or a whole file (with an empty type). `attributes`: name → the tokens of its expression; `lines`: its
    first and last line, from 1."""

    type: str = ""
    labels: tuple[str, ...] = ()
    attributes: dict[str, tuple[Token, ...]] = field(default_factory=dict)
    blocks: list[Block] = field(default_factory=list)
    lines: tuple[int, int] = (0, 0)

    def named(self, *types: str) -> Iterator[Block]:
        """The blocks of these types directly inside."""
        return (block for block in self.blocks if block.type in types)

    def text(self, attribute: str) -> str | None:
        """A plain string's value; None where there is none, or where it would have to be evaluated."""
        tokens = self.attributes.get(attribute, ())
        if len(tokens) != 1 or tokens[0].kind != "string" or _TEMPLATE.search(tokens[0].text):
            return None
        return _unescape(tokens[0].text).replace("$${", "${").replace("%%{", "%{")

    def outline(self, *attributes: str) -> list[Any]:
        """What it says, without lines and layout; of `attributes` alone where they are given."""
        chosen = attributes or sorted(self.attributes)
        said = [(name, [token[:2] for token in self.attributes.get(name, ())]) for name in chosen]
        inner = [] if attributes else [block.outline() for block in self.blocks]
        return [self.type, self.labels, said, inner]


_TEMPLATE = re.compile(r"(?<!\$)\$\{|(?<!%)%\{")
_BLANK = re.compile(r"[ \t\r]+|#[^\n]*|//[^\n]*|/\*.*?\*/", re.DOTALL)
_NAME = re.compile(r"[^\W\d][\w-]*")
_NUMBER = re.compile(r"\d[\w.]*")
_HEREDOC = re.compile(r"<<-?([^\W\d][\w-]*)\r?\n")
_PLAIN = {
    '"': re.compile(r'(?:[^"\\$%\n]|\\.|\$\$\{|%%\{|[$%](?!\{))*'),
    "heredoc": re.compile(r"(?:[^$%\n]|\$\$\{|%%\{|[$%](?!\{))*"),
}
_ESCAPE = re.compile(r'\\(?:([nrt"\\])|u([0-9a-fA-F]{4})|U([0-9a-fA-F]{8}))')
_LETTERS = {"n": "\n", "r": "\r", "t": "\t", '"': '"', "\\": "\\"}
_SMALL = 64 << 10
"""Bytes of a file whose outline is remembered."""
_DEPTH = 200
"""How deep blocks may nest: Terraform's language has no use for more than a handful."""


def parse(content: bytes) -> Block:
    """The outline of a `.tf` file, which nobody changes. Raises Unreadable."""
    return _known(content) if len(content) <= _SMALL else _parse(content)


def _parse(content: bytes) -> Block:
    try:
        source = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise Unreadable(f"not UTF-8: {error}") from error
    return _Parser(list(_tokens(source))).body(Block(), depth=0)


_known = lru_cache(maxsize=512)(_parse)
"""Of one init each file is asked for several times, and most files are those of the plan before."""


def _tokens(source: str) -> Iterator[Token]:
    position, line = 0, 1
    counted = 0
    while position < len(source):
        line += source.count("\n", counted, position)
        counted = position
        if blank := _BLANK.match(source, position):
            position = blank.end()
        elif source.startswith("/*", position):
            raise Unreadable(f"the comment in line {line} does not end")
        elif source[position] == "\n":
            yield Token("newline", "\n", line)
            position += 1
        elif source[position] == '"':
            end = _template(source, position + 1, '"', line)
            yield Token("string", source[position + 1 : end - 1], line)
            position = end
        elif heredoc := _HEREDOC.match(source, position):
            end = _template(source, heredoc.end(), heredoc[1], line)
            yield Token("heredoc", source[position:end], line)
            position = end
        elif found := _NAME.match(source, position):
            yield Token("name", found[0], line)
            position = found.end()
        else:
            number = _NUMBER.match(source, position)
            text = number[0] if number else source[position]
            yield Token("other", text, line)
            position += len(text)


def _template(source: str, position: int, until: str, line: int) -> int:
    """Where a string (until `"`) or a heredoc (until its marker alone on a line) ends that begins at `position`, in
    `line`.

    A stack of what is open instead of recursion: no depth of nesting breaks it.
    """
    stack = [until]
    fresh = until != '"'
    while stack:
        mode = stack[-1]
        if fresh and mode not in ('"', "{", "${"):
            stop = source.find("\n", position)
            text = source[position : stop if stop >= 0 else len(source)]
            if text.strip() == mode:
                position += len(text)
                stack.pop()
                fresh = False
                continue
        fresh = False
        if position >= len(source):
            raise Unreadable(f"the string or heredoc in line {line} does not end")
        if mode in ("{", "${"):
            position, fresh = _code(source, position, stack)
            continue
        plain = _PLAIN['"' if mode == '"' else "heredoc"].match(source, position)
        position = plain.end() if plain else position
        sign = source[position : position + 1]
        if sign in ("$", "%"):
            stack.append("${")
            position += 2
        elif sign == '"' and mode == '"':
            stack.pop()
            position += 1
        elif sign == "\n" and mode != '"':
            fresh = True
            position += 1
        elif sign:
            raise Unreadable(f"the string in line {line} goes over the end of its line")
    return position


def _code(source: str, position: int, stack: list[str]) -> tuple[int, bool]:
    """One step inside `${ … }`: the next position, and whether a heredoc's first line begins there."""
    if blank := _BLANK.match(source, position):
        return blank.end(), False
    if source.startswith("/*", position):  # looked for once, and not at each of thousands
        raise Unreadable("a comment does not end")
    if heredoc := _HEREDOC.match(source, position):
        stack.append(heredoc[1])
        return heredoc.end(), True
    sign = source[position]
    if sign in ('"', "{"):
        stack.append(sign)
    elif sign == "}":
        stack.pop()
    return position + 1, False


class _Parser:
    def __init__(self, tokens: list[Token]) -> None:
        self.tokens = tokens
        self.position = 0

    def take(self) -> Token:
        if self.position >= len(self.tokens):
            raise Unreadable("it ends within a block's or an attribute's first line")
        self.position += 1
        return self.tokens[self.position - 1]

    def body(self, block: Block, depth: int) -> Block:
        """Read into `block` up to its closing brace (or the file's end)."""
        if depth > _DEPTH:
            raise Unreadable("blocks are nested too deep")
        while depth or self.position < len(self.tokens):
            if self.position >= len(self.tokens):
                raise Unreadable(
                    f"the `{block.type}` block that begins in line {block.lines[0]} does not end"
                )
            token = self.take()
            if token.kind == "newline":
                continue
            if depth and token.sign("}"):
                break
            if token.kind != "name":
                raise Unreadable(f"line {token.line} is no block and no attribute")
            self._item(block, token, depth)
        return block

    def _item(self, block: Block, name: Token, depth: int) -> None:
        labels = []
        while (token := self.take()).kind in ("name", "string"):
            labels.append(_unescape(token.text) if token.kind == "string" else token.text)
        if token.sign("{"):
            inner = self.body(Block(name.text, tuple(labels), lines=(name.line, 0)), depth + 1)
            inner.lines = (name.line, self.tokens[self.position - 1].line)
            block.blocks.append(inner)
        elif token.sign("=") and not labels:
            block.attributes[name.text] = self._expression()
        else:
            raise Unreadable(f"line {token.line} is no block and no attribute")

    def _expression(self) -> tuple[Token, ...]:
        found: list[Token] = []
        depth = 0
        while self.position < len(self.tokens):
            token = self.tokens[self.position]
            if not depth and (token.kind == "newline" or token.sign("}")):
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
        raise Unreadable("an escape means no character") from error


def parse_json(content: bytes) -> list[tuple[str, Any]]:
    """A `.tf.json` file's top level as pairs: a key may come twice, and each counts. Raises Unreadable.

    Every object inside is a list of pairs as well.
    """
    try:
        whole = json.loads(content.decode("utf-8-sig"), object_pairs_hook=_Pairs)
    except (ValueError, RecursionError) as error:
        raise Unreadable(f"not JSON: {error}") from error
    return list(objects(whole))


class _Pairs(list[tuple[str, Any]]):
    """A JSON object, in order, duplicates kept."""


def objects(value: Any) -> Iterator[tuple[str, Any]]:
    """The pairs of an object, or of all objects in a list: JSON syntax takes both for a block."""
    if isinstance(value, _Pairs):
        yield from value
    elif isinstance(value, list):
        for item in value:
            yield from objects(item)
