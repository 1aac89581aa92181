"""The command that people use for an instance."""

from __future__ import annotations

from bot.domain.target import Target

DEFAULT_ENVIRONMENT = "test"
"""The environment that `/test` means where none is named."""


def preview_command(action: str, target: Target) -> str:
    """Return `/test down`, with the environment and the stack where they are not the default ones."""
    named = target.named_stack
    environment = target.environment if named or target.environment != DEFAULT_ENVIRONMENT else ""
    return " ".join(part for part in ("/test", action, environment, named) if part)
