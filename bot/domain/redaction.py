"""Redact secrets from text and JSON: known values in the encodings that tools use, and patterns that look like secrets."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Callable, Iterable, Iterator
from functools import lru_cache
from secrets import token_bytes
from typing import Any
from urllib.parse import quote, quote_plus

from bot.domain.digits import (
    BASE32_RUN,
    HEX_RUN,
    MASK,
    MIN_LENGTH,
    Digits,
    base32_texts,
    base64_texts,
    hex_texts,
)

TAG_CHARACTERS = "\ue000-\ue0ff"
"""A range of Unicode's private use area, for regular expressions: no secret and hardly any text contains them."""

_PATTERNS = re.compile(
    r"\b(?:AKIA|ASIA)[0-9A-Z]{16}\b"  # AWS access keys
    r"|\bgh[pousr]_[A-Za-z0-9]{20,}"  # GitHub
    r"|\bgithub_pat_[A-Za-z0-9_]{20,}"
    r"|\bglpat-[A-Za-z0-9_-]{20,}"  # GitLab
    r"|\bxox[abeoprs]-[A-Za-z0-9-]{10,}|\bxapp-[A-Za-z0-9-]{10,}"  # Slack
    r"|\bAIza[A-Za-z0-9_-]{35}"  # Google
    # JSON Web Tokens. A header has about a hundred characters; unbounded, a megabyte of `eyJ-eyJ-…` would take an hour.
    r"|\beyJ[A-Za-z0-9_-]{10,1000}+\.eyJ[A-Za-z0-9_-]{10,}+(?:\.[A-Za-z0-9_-]*)?"
    r"|-----BEGIN [A-Z ]*PRIVATE KEY-----.*?(?:-----END [A-Z ]*PRIVATE KEY-----|\Z)",
    re.DOTALL,
)
_MARKS = (
    *("AKIA", "ASIA", "ghp_", "gho_", "ghu_", "ghs_", "ghr_", "github_pat_", "glpat-"),
    *("xox", "xapp-", "AIza", "eyJ", "PRIVATE KEY"),
)
"""One of these is in everything that _PATTERNS matches. Most lines have none, and looking for them is eight times as fast."""
_NAMED_VALUE = re.compile(
    r"((?:password|passwd|secret|token|api_?key|access_key|private_key)\\?\"?\s*[=:]\s*\\?\")"
    r"(?!\(sensitive)[^\"\\\n]{4,}",
    re.IGNORECASE,
)
_URL_PASSWORD = re.compile(r"(?<=://)([^\s/:@\"]*):[^\s/@\"]{3,}@")
_PEM_LINES = 220
"""Lines redacted after a PEM header without a footer: the length of a 16,384-bit RSA key, not the rest of the log."""
_PEM_BEGIN = re.compile(r"-----BEGIN [A-Z ]*PRIVATE KEY-----")
_PEM_END = re.compile(r"-----END [A-Z ]*PRIVATE KEY-----")


class Redactor:
    """Redact secrets from text. Create one per Terraform call: it keeps track of a private key across lines."""

    def __init__(self, secrets: Iterable[str] = ()) -> None:
        # Longest first, so that nothing is left of a secret that starts with another one.
        ordered = sorted(set(secrets), key=len, reverse=True)
        self._known = [known for secret in ordered if (known := _pattern(secret))]
        self._hex = Digits(HEX_RUN, tuple(text for secret in ordered for text in hex_texts(secret)))
        self._base32 = Digits(BASE32_RUN, tuple(text for secret in ordered for text in base32_texts(secret)))
        self._pem_lines_left = 0
        self._salt = _private(token_bytes(12))  # nobody can guess it, and so nobody can write a tag
        self._tags = re.compile(f"{self._salt}[{TAG_CHARACTERS}]{{16}}")

    def __call__(self, text: str) -> str:
        """Return `text` with each secret replaced by `***`."""
        return self._replace(text, lambda _secret: MASK)

    def tagged(self, text: str) -> str:
        """Like a call, but each `***` has a tag that differs with the secret, so that a changed secret still differs.
        `clear` removes the tags. A tag consists of TAG_CHARACTERS and must not be cut."""
        return self._replace(text, self._tag)

    def clear(self, text: str) -> str:
        """Remove the tags of this Redactor."""
        return self._tags.sub("", text) if self._salt in text else text

    def _replace(self, text: str, mask: Callable[[str], str]) -> str:
        for known in self._known:
            text = known.sub(lambda found: mask(found[0]), text)
        text = self._base32.redact(self._hex.redact(text, mask), mask)
        if any(mark in text for mark in _MARKS):
            text = _PATTERNS.sub(lambda found: mask(found[0]), text)
        text = _NAMED_VALUE.sub(lambda found: found[1] + mask(found[0][len(found[1]) :]), text)
        return _URL_PASSWORD.sub(lambda found: f"{found[1]}:{mask(found[0])}@", text)

    def _tag(self, secret: str) -> str:
        return MASK + self._salt + _private(hashlib.sha256((self._salt + secret).encode()).digest()[:16])

    def line(self, line: str) -> str:
        """Redact the next line of a stream, including the lines of a private key that spans several of them."""
        if self._pem_lines_left:
            end = _PEM_END.search(line)
            self._pem_lines_left = 0 if end else self._pem_lines_left - 1
            return MASK + (self(line[end.end() :]) if end else "")
        begin = list(_PEM_BEGIN.finditer(line))
        if begin and not _PEM_END.search(line, begin[-1].end()):
            self._pem_lines_left = _PEM_LINES
        return self(line)


def _private(data: bytes) -> str:
    return "".join(chr(0xE000 + byte) for byte in data)


def redact_json(data: Any, redact: Callable[[str], str]) -> Any:
    """Return JSON data with every string redacted, keys included."""
    if isinstance(data, str):
        return redact(data)
    if isinstance(data, dict):
        return {redact_json(key, redact): redact_json(value, redact) for key, value in data.items()}
    if isinstance(data, list | tuple):
        return [redact_json(value, redact) for value in data]
    return data


@lru_cache(maxsize=1024)
def _pattern(secret: str) -> re.Pattern[str] | None:
    """Compile all encodings of a secret. Cached: compiling a private key's takes longer than most plans' output."""
    encodings = {one for one in _encodings(secret) if len(one) >= MIN_LENGTH}
    ordered = sorted(encodings, key=len, reverse=True)
    return re.compile("|".join(map(re.escape, ordered))) if ordered else None


def _encodings(secret: str) -> Iterator[str]:
    """Yield the ways a value may be written: as is, line by line, and encoded for URLs, JSON and base64.

    Hexadecimal digits and base32 are searched for separately, see bot.domain.digits.
    """
    if len(secret) < MIN_LENGTH:
        return
    yield secret
    if "\n" in secret:
        # Short lines of a longer value are ordinary text (`-----`, `}`); long ones are the secret itself.
        yield from (line for line in map(str.strip, secret.splitlines()) if len(line) >= 2 * MIN_LENGTH)
    yield quote(secret, safe="")
    yield quote(secret)
    yield quote_plus(secret)
    for escaped in (json.dumps(secret)[1:-1], json.dumps(secret, ensure_ascii=False)[1:-1]):
        # Go's encoder, which Terraform uses, escapes these three as well.
        for text in (
            escaped,
            escaped.replace("<", r"\u003c").replace(">", r"\u003e").replace("&", r"\u0026"),
        ):
            yield text
            yield json.dumps(text, ensure_ascii=False)[
                1:-1
            ]  # JSON inside JSON or HCL, such as a service account key
    yield from base64_texts(secret)
