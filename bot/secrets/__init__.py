"""Adapter for static secrets: the process environment, a file, and a command that asks a vault."""

from bot.secrets.command import SecretsCommand
from bot.secrets.file import read_file
from bot.secrets.sources import SecretSources

__all__ = ["SecretSources", "SecretsCommand", "read_file"]
