"""GitHub's own OpenID tokens, which clouds accept for the roles that the policy names."""

from __future__ import annotations

from collections.abc import Mapping
from urllib.parse import urlsplit

import httpx

from bot.errors import TransientError, UserError

TIMEOUT = 10.0


def issuer(variables: Mapping[str, str]) -> str:
    """Return the issuer of the job's tokens, "" if the job may not have any. It is GitHub's public one, or the server's
    own where GitHub Enterprise Server runs the job."""
    if not variables.get("ACTIONS_ID_TOKEN_REQUEST_URL"):
        return ""
    server = variables.get("GITHUB_SERVER_URL", "https://github.com").rstrip("/")
    if urlsplit(server).hostname == "github.com":
        return "https://token.actions.githubusercontent.com"
    return f"{server}/_services/token"


def fetch_tokens(variables: Mapping[str, str], audiences: Mapping[str, str]) -> dict[str, str]:
    """Return name → token. audiences: name of a cloud or service → its `aud`. Raises UserError if GitHub refuses, and
    TransientError if it does not answer."""
    url, bearer = (variables.get(f"ACTIONS_ID_TOKEN_REQUEST_{name}", "") for name in ("URL", "TOKEN"))
    with httpx.Client(timeout=TIMEOUT) as client:
        return {name: _token(client, url, bearer, audience) for name, audience in audiences.items()}


def _token(client: httpx.Client, url: str, bearer: str, audience: str) -> str:
    address = httpx.URL(url).copy_merge_params({"audience": audience})
    try:
        answer = client.get(address, headers={"Authorization": f"Bearer {bearer}"})
    except httpx.HTTPError as error:
        raise TransientError(f"GitHub's token service does not answer: {type(error).__name__}") from error
    if answer.status_code >= 500 or answer.status_code == 429:
        raise TransientError(f"GitHub's token service answered {answer.status_code}")
    if answer.status_code != 200:
        raise UserError(
            f"GitHub's token service answered {answer.status_code}.",
            next_step="Check that the job has `permissions: id-token: write`.",
        )
    return str(answer.json()["value"])
