"""Values in COPY's text format: NULL, escapes, and masks that remember or prepare them."""

from __future__ import annotations

import re
from collections.abc import Callable

Mask = Callable[[bytes], bytes]
"""From a field of COPY's text format to another one."""

NULL = b"\\N"
_REMEMBERED = 32_768
"""Values that a mask remembers: 5 to 10 MB a column."""
_LONGEST = 128
"""Bytes of the values that are remembered."""
_ESCAPED = re.compile(rb"\\.", re.DOTALL)


class Remembered(dict[bytes, bytes]):
    """A mask's recent results, NULL among them. Its `[]` is the mask: a value that is known costs no call in Python."""

    def __init__(self, mask: Mask) -> None:
        super().__init__({NULL: NULL})
        self._mask = mask

    def __missing__(self, value: bytes) -> bytes:
        found = self._mask(value)
        if len(value) <= _LONGEST:
            if len(self) >= _REMEMBERED:
                self.clear()
                self[NULL] = NULL
            self[value] = found
        return found


def keeping_null(mask: Mask) -> Mask:
    """Let NULL stay what it is. For masks that take no longer than to remember their results."""
    return lambda value: value if value == NULL else mask(value)


def characters(value: bytes) -> int:
    """Return how many characters a value has."""
    if value.isascii():
        return len(value) - (len(_ESCAPED.findall(value)) if b"\\" in value else 0)
    return len(_ESCAPED.sub(b".", value).decode(errors="replace"))


def escaped(value: object) -> bytes:
    """Return a policy's fixed value as COPY's text format has it."""
    if isinstance(value, bool):
        return b"t" if value else b"f"
    text = str(value)
    for raw, written in (("\\", "\\\\"), ("\t", "\\t"), ("\n", "\\n"), ("\r", "\\r")):
        text = text.replace(raw, written)
    return text.encode()
