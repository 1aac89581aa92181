"""Hides secrets in text: values that are known, in the forms in which tools write them, and shapes that tell."""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Iterable, Iterator
from functools import lru_cache
from urllib.parse import quote, quote_plus

MASK = "***"

_SHORTEST = 4
"""Characters. Hiding shorter values would make text unreadable and tell where they stand."""

_SHAPES = re.compile(
    r"\b(?:AKIA|ASIA)[0-9A-Z]{16}\b"  # AWS access keys
    r"|\bgh[pousr]_[A-Za-z0-9]{20,}"  # GitHub
    r"|\bgithub_pat_[A-Za-z0-9_]{20,}"
    r"|\bglpat-[A-Za-z0-9_-]{20,}"  # GitLab
    r"|\bxox[abeoprs]-[A-Za-z0-9-]{10,}|\bxapp-[A-Za-z0-9-]{10,}"  # Slack
    r"|\bAIza[A-Za-z0-9_-]{35}"  # Google
    # JSON Web Tokens. A header is some hundred characters; without a bound a megabyte of `eyJ-eyJ-…` would take an hour.
    r"|\beyJ[A-Za-z0-9_-]{10,1000}+\.eyJ[A-Za-z0-9_-]{10,}+(?:\.[A-Za-z0-9_-]*)?"
    r"|-----BEGIN [A-Z ]*PRIVATE KEY-----.*?(?:-----END [A-Z ]*PRIVATE KEY-----|\Z)",
    re.DOTALL,
)
_NAMED = re.compile(
    r"((?:password|passwd|secret|token|api_?key|access_key|private_key)\\?\"?\s*[=:]\s*\\?\")"
    r"(?!\(sensitive)[^\"\\\n]{4,}",
    re.IGNORECASE,
)
_ADDRESS = re.compile(r"(?<=://)([^\s/:@\"]*):[^\s/@\"]{3,}@")
_PEM_LINES = 220
"""Lines hidden after a beginning without an end: those of an RSA key of 16,384 bits, and not the whole log."""
_PEM_BEGIN = re.compile(r"-----BEGIN [A-Z ]*PRIVATE KEY-----")
_PEM_END = re.compile(r"-----END [A-Z ]*PRIVATE KEY-----")


class Redactor:
    """Takes secrets out of text. Make one per call of Terraform: it remembers a private key's lines under way."""

    def __init__(self, secrets: Iterable[str] = ()) -> None:
        # The longest first: of a secret that begins with another one nothing may stay behind.
        ordered = sorted(set(secrets), key=len, reverse=True)
        self._known = [known for secret in ordered if (known := _pattern(secret))]
        self._inside = 0

    def __call__(self, text: str) -> str:
        """`text` with each secret as `***`."""
        for known in self._known:
            text = known.sub(MASK, text)
        text = _NAMED.sub(rf"\1{MASK}", _SHAPES.sub(MASK, text))
        return _ADDRESS.sub(rf"\1:{MASK}@", text)

    def line(self, line: str) -> str:
        """The next line of a stream: like a call, and a private key that goes over several lines stays hidden."""
        if self._inside:
            end = _PEM_END.search(line)
            self._inside = 0 if end else self._inside - 1
            return MASK + (self(line[end.end() :]) if end else "")
        begin = list(_PEM_BEGIN.finditer(line))
        if begin and not _PEM_END.search(line, begin[-1].end()):
            self._inside = _PEM_LINES
        return self(line)


@lru_cache(maxsize=1024)
def _pattern(secret: str) -> re.Pattern[str] | None:
    """All forms of a secret. Kept, since compiling a private key's takes longer than most plans' output."""
    ordered = sorted({form for form in _forms(secret) if len(form) >= _SHORTEST}, key=len, reverse=True)
    return re.compile("|".join(map(re.escape, ordered))) if ordered else None


def _forms(secret: str) -> Iterator[str]:
    """The ways a value is written: as it is, each of its lines, and encoded for URLs, JSON and base64."""
    if len(secret) < _SHORTEST:
        return
    yield secret
    if "\n" in secret:
        # Short lines of a longer value are words like any other (`-----`, `}`); long ones are the secret.
        yield from (line for line in map(str.strip, secret.splitlines()) if len(line) >= 2 * _SHORTEST)
    yield quote(secret, safe="")
    yield quote(secret)
    yield quote_plus(secret)
    for escaped in (json.dumps(secret)[1:-1], json.dumps(secret, ensure_ascii=False)[1:-1]):
        # Go's encoder, Terraform's, writes these as escapes.
        for once in (
            escaped,
            escaped.replace("<", r"\u003c").replace(">", r"\u003e").replace("&", r"\u0026"),
        ):
            yield once
            yield json.dumps(once, ensure_ascii=False)[
                1:-1
            ]  # JSON as a text, such as a key, within JSON or HCL
    raw = secret.encode()
    if len(raw) >= 2 * _SHORTEST:
        yield base64.b64encode(raw).decode().rstrip("=")
        yield base64.urlsafe_b64encode(raw).decode().rstrip("=")
        for shift in (1, 2):  # inside a longer text, such as `user:password` in a header
            whole = base64.b64encode(b"\0" * shift + raw).decode().rstrip("=")
            yield whole[shift + 1 : -1]
