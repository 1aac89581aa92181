"""The values that a variable can have, whatever format they were written in."""

from __future__ import annotations


def as_text(value: object) -> str | None:
    """Return a value as Terraform reads it from a variable, None for one that no variable can have."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int | float):
        return str(value)
    return value if isinstance(value, str) and "\0" not in value else None
