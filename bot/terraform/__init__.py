"""Terraform as an adapter: the engine, typed calls over it, and what may be known of a process."""

from __future__ import annotations

from bot.domain.redaction import Redactor
from bot.terraform.engine import discover, embedded
from bot.terraform.process import outcome, undumpable
from bot.terraform.runner import Runner

__all__ = ["Redactor", "Runner", "discover", "embedded", "outcome", "undumpable"]
