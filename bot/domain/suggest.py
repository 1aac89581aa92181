"""Suggestions for mistyped words."""

from __future__ import annotations

from collections.abc import Iterable
from difflib import get_close_matches

MAX_LENGTH = 64
"""Longer words are no typing mistakes, and comparing them costs time."""


def did_you_mean(word: str, choices: Iterable[str]) -> str | None:
    """Return the one of `choices` that is closest to `word`, or None. Case does not matter."""
    if not word or len(word) > MAX_LENGTH:
        return None
    spelled = {choice.lower(): choice for choice in choices}
    close = get_close_matches(word.lower(), spelled, n=1, cutoff=0.6)
    return spelled[close[0]] if close else None


def hint(word: str, choices: Iterable[str]) -> str:
    """Return `; did you mean ``x``?` to append to a sentence, or ""."""
    meant = did_you_mean(word, choices)
    return f"; did you mean `{meant}`?" if meant else ""
