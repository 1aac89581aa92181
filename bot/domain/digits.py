"""Write secrets in base64, base32 and hexadecimal digits, as tools print them, and find the latter two in text quickly."""

from __future__ import annotations

import base64
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cached_property, lru_cache
from math import lcm

MASK = "***"

MIN_LENGTH = 4
"""Characters. Redacting shorter values would make text unreadable and reveal where they occur."""

_MIN_BASE = 2 * MIN_LENGTH
"""Bytes of a value that is searched for in base64 and base32: a part of a shorter one occurs in ordinary text."""

HEX_RUN = re.compile(rf"[0-9A-Fa-f]{{{2 * MIN_LENGTH},}}")
BASE32_RUN = re.compile(r"[A-Za-z2-7]{12,}=*")
"""The characters of a base32 text. Twelve of them stay the same wherever eight bytes stand in a longer value."""

_HEX_COLUMNS = (60,)
"""Line length of `xxd -p`."""
_BASE64_COLUMNS = (64, 76)
"""Line lengths of `openssl base64` and `base64`."""
_BASE32_COLUMNS = (76,)
"""Line length of `base32`."""


@dataclass(frozen=True)
class Digits:
    """Finds texts that consist of one kind of characters, in either case. run: matches such a text, so that lines without
    one, which most are, cost a single search however many texts there are. texts: in lower case."""

    run: re.Pattern[str]
    texts: tuple[str, ...]

    def redact(self, text: str, mask: Callable[[str], str]) -> str:
        """Return `text` with each of the texts replaced by what `mask` returns for it."""

        def redact_run(run: re.Match[str]) -> str:
            found, lower = run[0], run[0].lower()
            if not any(one in lower for one in self.texts):
                return found
            return self._pattern.sub(lambda secret: mask(secret[0]), found)

        return self.run.sub(redact_run, text) if self.texts else text

    @cached_property
    def _pattern(self) -> re.Pattern[str]:
        ordered = sorted(self.texts, key=len, reverse=True)
        return re.compile(f"(?:{'|'.join(ordered)})=*", re.IGNORECASE)


@lru_cache(maxsize=1024)
def hex_texts(secret: str) -> tuple[str, ...]:
    """Return a secret in hexadecimal digits in lower case, whole and in lines."""
    if len(secret) < MIN_LENGTH:
        return ()
    whole = secret.encode().hex()
    return whole, *_lines(whole, _HEX_COLUMNS, 2 * MIN_LENGTH)


@lru_cache(maxsize=1024)
def base32_texts(secret: str) -> tuple[str, ...]:
    """Return a secret in base32 in lower case, without padding: whole, in lines, and as part of a longer value."""
    raw = secret.encode()
    if len(raw) < _MIN_BASE:
        return ()
    return tuple({text.lower() for text in _positions(raw, base64.b32encode, 5, _BASE32_COLUMNS)})


def base64_texts(secret: str) -> Iterator[str]:
    """Yield a secret in both alphabets of base64, without padding: whole, in lines, and as part of a longer value."""
    raw = secret.encode()
    if len(raw) >= _MIN_BASE:
        for encode in (base64.b64encode, base64.urlsafe_b64encode):
            yield from _positions(raw, encode, 6, _BASE64_COLUMNS)


def _positions(
    raw: bytes, encode: Callable[[bytes], bytes], bits: int, columns: tuple[int, ...]
) -> Iterator[str]:
    """Yield how `raw` looks on its own, in lines, and within a longer value (`user:password`, a secret with a line break):
    there, what stands before shifts it, and only the characters without bits of its neighbours stay the same.

    bits: how many each character of the encoding stands for.
    """
    whole = encode(raw).decode().rstrip("=")
    yield whole
    yield from _lines(whole, columns, 12)
    for shift in range(lcm(8, bits) // 8):
        text = encode(bytes(shift) + raw).decode()
        yield text[-(-8 * shift // bits) : 8 * (shift + len(raw)) // bits]


def _lines(text: str, columns: tuple[int, ...], shortest: int) -> Iterator[str]:
    """Yield the lines of a text that is longer than a line, except for a last one that is too short to tell."""
    for width in columns:
        if len(text) > width:
            lines = (text[start : start + width] for start in range(0, len(text), width))
            yield from (line for line in lines if len(line) >= shortest)
