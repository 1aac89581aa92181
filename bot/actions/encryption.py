"""Encrypt artifacts with age, for people who hold one of the keys that the policy names."""

from __future__ import annotations

from collections.abc import Sequence

from bot.errors import UserError


def encrypt_for(recipients: Sequence[str], content: bytes) -> bytes:
    """Return the content as an age file that each recipient (`age1…`) can decrypt. Raises UserError for one that is not a
    key."""
    from pyrage import RecipientError, encrypt, x25519

    try:
        keys = [x25519.Recipient.from_str(one) for one in recipients]
    except RecipientError:
        raise UserError(
            "`artifact_recipients` has something that is not an age key.",
            next_step="Write public keys there, as `age-keygen` prints them.",
        ) from None
    sealed: bytes = encrypt(content, keys)
    return sealed


def encrypt_with(passphrase: str, content: bytes) -> bytes:
    """Return the content as an age file that the passphrase decrypts."""
    from pyrage import passphrase as by_passphrase

    sealed: bytes = by_passphrase.encrypt(content, passphrase)
    return sealed
