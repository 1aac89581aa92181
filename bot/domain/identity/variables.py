"""The variables and files through which tools find a run's tokens."""

from __future__ import annotations

import json
from collections.abc import Collection, Iterator, Mapping
from pathlib import Path

from bot.domain.identity.secrets import Access
from bot.domain.policy import GoogleIdentity, Identity

_MARK = "identity-"
_STATIC = {
    "aws": ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN", "AWS_PROFILE"),
    "google": (
        "GOOGLE_CREDENTIALS",
        "GOOGLE_CLOUD_KEYFILE_JSON",
        "GCLOUD_KEYFILE_JSON",
        "GOOGLE_OAUTH_ACCESS_TOKEN",
    ),
    "azure": ("ARM_CLIENT_SECRET", "ARM_CLIENT_CERTIFICATE", "ARM_CLIENT_CERTIFICATE_PATH", "ARM_OIDC_TOKEN"),
}
"""Variables with credentials that the clouds' tools prefer to a token in a file."""


def token_file(name: str) -> str:
    """Return the name of the file with the token for a cloud or service."""
    return f"{_MARK}{name}.token"


_GOOGLE_FILE = f"{_MARK}google.json"


def is_ours(file_name: str) -> bool:
    """Whether a file of this name is one that `files_of` made."""
    return file_name.startswith(_MARK) and file_name.endswith((".token", ".json"))


def variables_of(identity: Identity, access: Access, directory: Path, session: str) -> dict[str, str]:
    """Return the variables for Terraform. directory: of the files. session: see `session_name`."""
    found: dict[str, str] = {}
    if aws := identity.aws:
        found |= {
            "AWS_ROLE_ARN": aws.apply if access == "apply" else aws.plan,
            "AWS_WEB_IDENTITY_TOKEN_FILE": str(directory / token_file("aws")),
            "AWS_ROLE_SESSION_NAME": session,
        }
    if identity.google:
        found["GOOGLE_APPLICATION_CREDENTIALS"] = str(directory / _GOOGLE_FILE)
    if azure := identity.azure:
        found |= {
            "ARM_USE_OIDC": "true",
            "ARM_OIDC_TOKEN_FILE_PATH": str(directory / token_file("azure")),
            "ARM_CLIENT_ID": azure.apply if access == "apply" else azure.plan,
            "ARM_TENANT_ID": azure.tenant,
            "ARM_SUBSCRIPTION_ID": azure.subscription,
        }
    for name, service in identity.services.items():
        found[service.file_variable] = str(directory / token_file(name))
    return found


def files_of(
    identity: Identity, access: Access, directory: Path, tokens: Mapping[str, str]
) -> dict[str, bytes]:
    """Return file name → content, for `directory`. tokens: by name of the cloud or service."""
    found = {token_file(name): token.encode() for name, token in tokens.items()}
    if identity.google:
        found[_GOOGLE_FILE] = _google(identity.google, access, directory / token_file("google"))
    return found


def clash(identity: Identity, names: Collection[str]) -> str:
    """Return a static secret that would replace the identity or be replaced by it, "" if there is none.

    names: of the variables that the environment's static secrets set.
    """
    return min(set(names) & set(_taken(identity)), default="")


def _taken(identity: Identity) -> Iterator[str]:
    yield from variables_of(identity, "plan", Path(), "")
    for name in identity.audiences:
        yield from _STATIC.get(name, ())


def _google(google: GoogleIdentity, access: Access, token: Path) -> bytes:
    """Return the credential configuration of Google's libraries, https://google.aip.dev/auth/4117."""
    account = google.apply if access == "apply" else google.plan
    return json.dumps(
        {
            "type": "external_account",
            "audience": f"//iam.googleapis.com/{google.provider}",
            "subject_token_type": "urn:ietf:params:oauth:token-type:jwt",
            "token_url": "https://sts.googleapis.com/v1/token",
            "service_account_impersonation_url": "https://iamcredentials.googleapis.com/v1/projects/-/serviceAccounts/"
            f"{account}:generateAccessToken",
            "credential_source": {"file": str(token), "format": {"type": "text"}},
        },
        indent=2,
    ).encode()
