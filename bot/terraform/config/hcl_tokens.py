"""Split HCL into tokens, with comments removed and strings and heredocs whole."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import NamedTuple


class ParseError(ValueError):
    """The content is not valid HCL (or JSON); Terraform would refuse it as well."""


class Token(NamedTuple):
    """kind: `name`, `string` (text: its raw content), `heredoc`, `newline`, or `other` (a symbol or a number)."""

    kind: str
    text: str
    line: int = 0

    def is_symbol(self, text: str) -> bool:
        return self.kind == "other" and self.text == text


_BLANK = re.compile(r"[ \t\r]+|#[^\n]*|//[^\n]*|/\*.*?\*/", re.DOTALL)
_NAME = re.compile(r"[^\W\d][\w-]*")
_NUMBER = re.compile(r"\d[\w.]*")
_HEREDOC = re.compile(r"<<-?([^\W\d][\w-]*)\r?\n")
_PLAIN = {
    '"': re.compile(r'(?:[^"\\$%\n]|\\.|\$\$\{|%%\{|[$%](?!\{))*'),
    "heredoc": re.compile(r"(?:[^$%\n]|\$\$\{|%%\{|[$%](?!\{))*"),
}


def tokenize(source: str) -> Iterator[Token]:
    """Yield the tokens of an HCL file. Raises ParseError for a comment, string or heredoc without an end."""
    position, line = 0, 1
    counted = 0
    while position < len(source):
        line += source.count("\n", counted, position)
        counted = position
        if blank := _BLANK.match(source, position):
            position = blank.end()
        elif source.startswith("/*", position):
            raise ParseError(f"the comment on line {line} is not closed")
        elif source[position] == "\n":
            yield Token("newline", "\n", line)
            position += 1
        elif source[position] == '"':
            end = _string_end(source, position + 1, '"', line)
            yield Token("string", source[position + 1 : end - 1], line)
            position = end
        elif heredoc := _HEREDOC.match(source, position):
            end = _string_end(source, heredoc.end(), heredoc[1], line)
            yield Token("heredoc", source[position:end], line)
            position = end
        elif name := _NAME.match(source, position):
            yield Token("name", name[0], line)
            position = name.end()
        else:
            number = _NUMBER.match(source, position)
            text = number[0] if number else source[position]
            yield Token("other", text, line)
            position += len(text)


def _string_end(source: str, position: int, until: str, line: int) -> int:
    """Return where the string or heredoc ends whose content starts at `position`.

    until: `"`, or the heredoc's marker, which stands alone on a line. line: where it starts, for errors. It keeps a
    stack of what is open instead of recursing, so that no depth of nesting breaks it.
    """
    stack = [until]
    at_line_start = until != '"'
    while stack:
        mode = stack[-1]
        if at_line_start and mode not in ('"', "{", "${"):
            stop = source.find("\n", position)
            text = source[position : stop if stop >= 0 else len(source)]
            if text.strip() == mode:
                position += len(text)
                stack.pop()
                at_line_start = False
                continue
        at_line_start = False
        if position >= len(source):
            raise ParseError(f"the string or heredoc on line {line} is not closed")
        if mode in ("{", "${"):
            position, at_line_start = _skip_expression(source, position, stack)
            continue
        plain = _PLAIN['"' if mode == '"' else "heredoc"].match(source, position)
        position = plain.end() if plain else position
        symbol = source[position : position + 1]
        if symbol in ("$", "%"):
            stack.append("${")
            position += 2
        elif symbol == '"' and mode == '"':
            stack.pop()
            position += 1
        elif symbol == "\n" and mode != '"':
            at_line_start = True
            position += 1
        elif symbol:
            raise ParseError(f"the string on line {line} is not closed on the same line")
    return position


def _skip_expression(source: str, position: int, stack: list[str]) -> tuple[int, bool]:
    """Take one step inside `${ … }`: return the next position, and whether the first line of a heredoc starts there."""
    if blank := _BLANK.match(source, position):
        return blank.end(), False
    if source.startswith(
        "/*", position
    ):  # an open comment: fail now instead of scanning to the end for each `/*`
        raise ParseError("a comment is not closed")
    if heredoc := _HEREDOC.match(source, position):
        stack.append(heredoc[1])
        return heredoc.end(), True
    symbol = source[position]
    if symbol in ('"', "{"):
        stack.append(symbol)
    elif symbol == "}":
        stack.pop()
    return position + 1, False
