"""`towpath dev`: the environment on a laptop, one file per command."""

from bot.cli.dev import apply, ci, doctor, down, plan, status, up

__all__ = ["apply", "ci", "doctor", "down", "plan", "status", "up"]
