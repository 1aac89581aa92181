"""Run Terraform or OpenTofu: find the executable, make typed calls, and read how a call ended."""

from __future__ import annotations

from bot.domain.redaction import Redactor
from bot.terraform.cli.discovery import discover, find_embedded
from bot.terraform.cli.runner import Runner
from bot.terraform.process.status import make_undumpable, outcome

__all__ = ["Redactor", "Runner", "discover", "find_embedded", "make_undumpable", "outcome"]
