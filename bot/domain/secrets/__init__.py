"""Static secrets without their values: which are plain settings, which are set where, and what a module still lacks.

How they are split into those of plans and of applies is in `bot.domain.identity`, like the roles in clouds."""

from bot.domain.secrets.report import (
    MissingVariable,
    SecretEntry,
    SecretsReport,
    entries_of,
    missing_of,
)
from bot.domain.secrets.settings import WELL_KNOWN, settings_of

__all__ = [
    "WELL_KNOWN",
    "MissingVariable",
    "SecretEntry",
    "SecretsReport",
    "entries_of",
    "missing_of",
    "settings_of",
]
