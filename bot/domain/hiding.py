"""Known secrets taken out of data that people will see."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

HIDDEN = "***"
SHORTEST = 4
"""Characters of a secret: hiding shorter ones would blacken every text."""


def hide(data: Any, secrets: Iterable[str]) -> Any:
    """`data` (JSON) with each of `secrets` replaced by `***`, in keys and values alike."""
    known = sorted({secret for secret in secrets if len(secret) >= SHORTEST}, key=len, reverse=True)
    return _hide(data, known) if known else data


def _hide(data: Any, secrets: list[str]) -> Any:
    if isinstance(data, str):
        for secret in secrets:
            data = data.replace(secret, HIDDEN)
        return data
    if isinstance(data, dict):
        return {_hide(key, secrets): _hide(value, secrets) for key, value in data.items()}
    if isinstance(data, list | tuple):
        return [_hide(value, secrets) for value in data]
    return data
