"""Make, choose and drop the keys that sign tokens. All processes share them in the database."""

from __future__ import annotations

import json
from datetime import datetime

import structlog

from bot.domain.identity import SKEW, SigningKey, current_key, expired_keys, key_due
from bot.services.context import Context

log = structlog.get_logger()

ALGORITHM = "RS256"
"""The only one that AWS, Google Cloud and Azure all accept."""
BITS = 2048


def rotate_keys(context: Context) -> None:
    """Make the next key if it is due, and drop keys whose tokens have all expired. Safe to run in several processes at
    once: of two that make the same key, one stores it. Does nothing where no cloud could read the keys."""
    if not context.issuer:
        return
    now = context.now()
    for old in expired_keys(_make_due_key(context, now), now):
        with context.store.begin() as tables:
            if tables.signing_keys.drop(old.number, now - SKEW):
                log.info("dropped a signing key", key=old.id)


def signing_key(context: Context, until: datetime) -> tuple[SigningKey, bytes]:
    """Return the key to sign with and its private half, after recording that its tokens expire at `until`."""
    while True:
        with context.store.begin() as tables:
            key = current_key(tables.signing_keys.all(), context.now())
            if key is not None and tables.signing_keys.signed(key.number, until):
                return key, tables.signing_keys.private(key.number)
        _make_due_key(context, context.now())  # there is none yet


def _make_due_key(context: Context, now: datetime) -> list[SigningKey]:
    """Return all keys, oldest first, after making the next one if it is due."""
    with context.store.read() as tables:
        keys = tables.signing_keys.all()
    if due := key_due(keys, now):
        key, private = _generate(*due, now)
        with context.store.begin() as tables:
            if tables.signing_keys.add(key, private):
                log.info("made a signing key", key=key.id, signs_from=key.signs_from.isoformat())
            keys = tables.signing_keys.all()
    return keys


def _generate(number: int, signs_from: datetime, now: datetime) -> tuple[SigningKey, bytes]:
    from joserfc.jwk import RSAKey

    made = RSAKey.generate_key(BITS)
    identifier = made.thumbprint()
    public = {name: str(value) for name, value in made.as_dict(private=False).items()}
    public |= {"kid": identifier, "use": "sig", "alg": ALGORITHM}
    private = json.dumps(made.as_dict(private=True)).encode()
    return SigningKey(number, identifier, public, now, signs_from), private
