"""The credentials of runs: an environment's static secrets, and short-lived tokens that clouds accept."""

from bot.services.identity.credentials import (
    RunIdentity,
    hidden_values,
    remove_tokens,
    renew_tokens,
    run_identity,
    secrets_for,
    secrets_of,
    tokens_removed,
    write_tokens,
)
from bot.services.identity.keys import rotate_keys

__all__ = [
    "RunIdentity",
    "hidden_values",
    "remove_tokens",
    "renew_tokens",
    "rotate_keys",
    "run_identity",
    "secrets_for",
    "secrets_of",
    "tokens_removed",
    "write_tokens",
]
