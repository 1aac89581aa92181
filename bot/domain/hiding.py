"""Secrets taken out of data that people will see."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any


def hide(data: Any, redact: Callable[[str], str]) -> Any:
    """`data` (JSON) with each text in it redacted, in keys and values alike."""
    if isinstance(data, str):
        return redact(data)
    if isinstance(data, dict):
        return {hide(key, redact): hide(value, redact) for key, value in data.items()}
    if isinstance(data, list | tuple):
        return [hide(value, redact) for value in data]
    return data
