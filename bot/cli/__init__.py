"""The operator's `towpath`, one file per command."""

from bot.cli.main import main

__all__ = ["main"]
