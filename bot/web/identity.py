"""What clouds read to verify tokens: OpenID Connect's discovery document and the public keys."""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.routing import Route

from bot.domain.identity import JWKS_MAX_AGE, Claims
from bot.domain.ports.store import Store

DISCOVERY = "/.well-known/openid-configuration"
KEYS = "/.well-known/jwks.json"
_OFF = "Towpath issues no tokens: TOWPATH_PUBLIC_URL is not set to an https address.\n"
_CACHED = {"cache-control": f"public, max-age={JWKS_MAX_AGE}"}


def routes(store: Store, issuer: str) -> list[Route]:
    """Return both routes. They are public and contain nothing secret. issuer: "" if there is none; both answer 404 then.

    Source: OpenID Connect Discovery 1.0, section 3; like GitHub's and GitLab's, it has no endpoints where people sign in.
    """

    def discovery(_request: Request) -> Response:
        if not issuer:
            return PlainTextResponse(_OFF, 404)
        standard = ["iss", "sub", "aud", "iat", "nbf", "exp", "jti"]
        return JSONResponse(
            {
                "issuer": issuer,
                "jwks_uri": f"{issuer}{KEYS}",
                "response_types_supported": ["id_token"],
                "subject_types_supported": ["public"],
                "id_token_signing_alg_values_supported": ["RS256"],
                "scopes_supported": ["openid"],
                "claims_supported": list(dict.fromkeys([*standard, *Claims.__annotations__])),
            },
            headers=_CACHED,
        )

    def keys(_request: Request) -> Response:
        if not issuer:
            return PlainTextResponse(_OFF, 404)
        with store.read() as tables:
            published = tables.signing_keys.all()
        # before the first key, an empty set that nobody should keep
        headers = _CACHED if published else {"cache-control": "no-store"}
        return JSONResponse({"keys": [key.public for key in published]}, headers=headers)

    return [Route(DISCOVERY, discovery), Route(KEYS, keys)]
