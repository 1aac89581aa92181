"""Sign the tokens of a run."""

from __future__ import annotations

import json
import secrets
from collections.abc import Mapping
from datetime import timedelta
from functools import lru_cache
from typing import TYPE_CHECKING

from bot.domain.identity import claims_of
from bot.domain.run import Run
from bot.services.context import Context
from bot.services.identity.keys import ALGORITHM, signing_key

if TYPE_CHECKING:
    from joserfc.jwk import RSAKey

GRACE = timedelta(minutes=10)
"""What a token lives longer than the run may take: an interrupted Terraform gets five minutes to save the state."""
LONGEST = timedelta(hours=24)
"""Google refuses tokens that live longer."""
BACK = 60
"""Seconds before now from which a token is valid, since clocks differ."""


def sign_tokens(
    context: Context, run: Run, audiences: Mapping[str, str], timeout: timedelta
) -> dict[str, str]:
    """Return name → token. audiences: name of a cloud or service → its `aud`. timeout: of the run; the tokens live that
    long and GRACE more, at most LONGEST."""
    from joserfc import jwt

    now = context.now()
    until = now + min(timeout + GRACE, LONGEST)
    key, private = signing_key(context, until)
    rsa = _imported(private)
    issued = {
        "iss": context.issuer,
        "iat": int(now.timestamp()),
        "nbf": int(now.timestamp()) - BACK,
        "exp": int(until.timestamp()),
        **claims_of(run),
    }
    header = {"alg": ALGORITHM, "kid": key.id}
    return {
        name: jwt.encode(header, {**issued, "aud": audience, "jti": secrets.token_hex(16)}, rsa)
        for name, audience in audiences.items()
    }


@lru_cache(maxsize=2)
def _imported(private: bytes) -> RSAKey:
    """Cached: cryptography checks each RSA key that it loads, which takes 120 ms; signing takes less than one."""
    from joserfc.jwk import RSAKey

    return RSAKey.import_key(json.loads(private))
