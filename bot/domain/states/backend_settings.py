"""The backend of a target's state: what plans store of it, and which settings a repository may give it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TypedDict


class BackendSettings(TypedDict):
    """kind: `http` (built in), `s3` …; config: its settings, without credentials."""

    kind: str
    config: dict[str, str]


_ANY: tuple[object, ...] = ()
_ACCEPTED: Mapping[str, Mapping[str, tuple[object, ...]]] = {
    "s3": {
        **dict.fromkeys(("bucket", "key", "region", "use_lockfile"), _ANY),
        **dict.fromkeys(("encrypt", "use_path_style", "force_path_style"), _ANY),
        **dict.fromkeys(("allowed_account_ids", "forbidden_account_ids", "max_retries", "retry_mode"), _ANY),
        **dict.fromkeys(
            (
                "skip_credentials_validation",
                "skip_metadata_api_check",
                "skip_region_validation",
                "skip_requesting_account_id",
                "skip_s3_checksum",
            ),
            _ANY,
        ),
        "workspace_key_prefix": ("env:",),
    },
    "http": {
        **dict.fromkeys(("address", "lock_address", "lock_method", "unlock_address", "unlock_method"), _ANY),
        **dict.fromkeys(("retry_max", "retry_wait_min", "retry_wait_max"), _ANY),
        "update_method": ("POST",),
    },
}
"""By kind, the settings that a repository's block may have, and the values that are harmless (empty: all). Towpath overrules
where the state is; what is missing here could send it, its lock or the credentials elsewhere, or open it to others."""

_ON_THE_BUCKET = "To protect the states in another way, set it up on the bucket itself"
_ADVICE: Mapping[str, str] = {
    "endpoint": "If the bucket is not on AWS, set `endpoint` in the stack's `backend` in `envs/environments.toml`",
    "dynamodb": "Towpath locks states with `use_lockfile`",
    "acl": _ON_THE_BUCKET,
    "sse": _ON_THE_BUCKET,
    "kms": _ON_THE_BUCKET,
}
"""By how the setting starts: what to do instead."""


def accepts_setting(kind: str, name: str) -> bool:
    """Whether a repository's block of a backend of this kind may have the setting."""
    return name in _ACCEPTED.get(kind, {})


def is_harmless(kind: str, name: str, value: object) -> bool:
    """Whether a setting that Towpath did not make, as init recorded it, leaves the state where it belongs."""
    if _is_unset(value):
        return True
    values = _ACCEPTED.get(kind, {}).get(name)
    return values is not None and (not values or value in values)


def instead_of(name: str) -> str:
    """Return the advice for a setting that is not accepted, as a sentence without its full stop; "" for none."""
    return next((advice for start, advice in _ADVICE.items() if name.startswith(start)), "")


def _is_unset(value: object) -> bool:
    if isinstance(value, dict):
        return all(_is_unset(entry) for entry in value.values())
    return value in (None, "", False) or value == []
