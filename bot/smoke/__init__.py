"""Smoke checks: an address that answers, a port that takes connections, a command that ends well."""

from bot.smoke.checker import Checker

__all__ = ["Checker"]
