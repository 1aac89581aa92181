"""Prove that `init` used the backend settings that the target should have."""

from __future__ import annotations

import json

from bot.domain.ports.terraform import Backend, InitResult
from bot.domain.sanitize import outside
from bot.domain.states import is_harmless
from bot.errors import UserError

_SHOWN = ("endpoint", "endpoints", "workspace_key_prefix", "update_method")
"""Settings whose values a refusal may show; others may be secrets."""
_NEXT = "Remove the backend settings from the repository's Terraform files, then run `/plan` again."


def prove(expected: Backend, found: InitResult) -> None:
    """Raise UserError, naming the setting, if `init` did not use the expected backend, or used a setting beside those that
    could store a state elsewhere or open it to others although all of ours are right."""
    if found.kind != expected.kind:
        raise _mismatch("kind", expected.kind, found.kind)
    for name, value in expected.config.items():
        if not _same(value, found.config.get(name)):
            raise _mismatch(name, value, found.config.get(name))
    for name, value in found.config.items():
        if name not in expected.config and not is_harmless(expected.kind, name, value):
            raise _mismatch(name, "unset", value) if name in _SHOWN else _foreign(name)


def _same(expected: str, found: object) -> bool:
    """Whether a setting was used: booleans by spelling, maps by all entries that are set."""
    if isinstance(found, bool):
        return expected == str(found).lower()
    if isinstance(found, dict | list):
        try:
            value = json.loads(expected)
        except ValueError:
            return False
        if isinstance(found, dict) and isinstance(value, dict):
            return {name: entry for name, entry in found.items() if entry} == value
        return bool(value == found)
    return found is not None and expected == str(found)


def _foreign(name: str) -> UserError:
    return UserError(
        f"The state would not be stored as it should: init used the setting `{outside(name)}`, which only the policy and the "
        "bot's operator may choose.",
        next_step=_NEXT,
    )


def _mismatch(name: str, expected: object, found: object) -> UserError:
    return UserError(
        f"The state would be stored in the wrong place: `{name}` should be `{expected}`, but init used "
        f"`{outside(str(found))}`.",
        next_step=_NEXT,
    )
