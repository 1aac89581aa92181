"""Which values of a state are sensitive: those that Terraform marks, and those named like secrets.

Terraform marks values from sensitive variables and, since 1.10, those that a provider's schema marks; older versions mark
the former only. So names count too: masking too much is an inconvenience, masking too little reveals a secret.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

Marks = Any
"""True for a whole value, or nested like the value (lists by index); None or False if nothing is sensitive."""

_NAMES = re.compile(
    r"passw|passphrase|secret|token|credential|private_?key|api_?key|access_?key|auth_?key|account_?key|"
    r"client_?key|shared_?key|master_?key|ssh_?key|kube_?config|connection_?(string|uri|url)|cert(ificate)?_pem|"
    r"webhook_?url|^(pem|pin|salt|seed|key_material)$|(^|_)(pw|pwd|psk|dsn|otp)$",
    re.IGNORECASE,
)
_TEXTS = re.compile(r"-----BEGIN [A-Z ]*PRIVATE KEY|://[^/\s:@]*:[^/\s@]+@")
"""Strings that contain a secret whatever their name: private keys, URLs with a password."""
MIN_LENGTH = 8
"""Characters a marked value needs to be masked wherever else it occurs: shorter ones are words such as `true`."""


def looks_secret(name: str, text: str) -> bool:
    """Whether a value is taken for a secret: by its name (`db_password`), or because it contains one whatever its name."""
    return _NAMES.search(name) is not None or _TEXTS.search(text) is not None


def marks_of(instance: Mapping[str, Any]) -> Marks:
    """Return the marks of one resource instance; True if its marks cannot be understood."""
    attributes = instance.get("attributes", instance.get("attributes_flat"))
    named = _by_name(attributes)
    marks: dict[Any, Any] = named if isinstance(named, dict) else {}
    given = instance.get("sensitive_attributes") or []
    if not isinstance(given, list):
        return True
    for path in given:
        steps = _steps(path)
        if not steps:
            return True
        _mark(marks, steps)
    return marks


def secrets_of(document: Mapping[str, Any]) -> Iterator[str]:
    """Yield the strings that Terraform marks as sensitive in a state, from MIN_LENGTH characters on."""
    for output in (document.get("outputs") or {}).values():
        if output.get("sensitive"):
            yield from _texts(output.get("value"))
    for resource in document.get("resources") or ():
        for instance in resource.get("instances") or ():
            for path in instance.get("sensitive_attributes") or ():
                value: Any = instance.get("attributes")
                for step in _steps(path):
                    value = _child(value, step)
                yield from _texts(value)


def _steps(path: Any) -> list[str | int]:
    """Return Terraform's path as keys and indices, up to the first step that cannot be followed."""
    steps: list[str | int] = []
    for step in path if isinstance(path, list) else ():
        value = step.get("value") if isinstance(step, dict) else None
        if isinstance(value, dict):
            value = value.get("value")
        if isinstance(value, float) and value.is_integer():
            value = int(value)
        if not isinstance(value, str | int) or isinstance(value, bool):
            break
        steps.append(value)
    return steps


def _mark(marks: dict[Any, Any], steps: list[str | int]) -> None:
    *parents, last = steps
    for step in parents:
        below = marks.setdefault(step, {})
        if below is True:
            return
        marks = below
    marks[last] = True


def _by_name(value: Any) -> Marks:
    """Mark values named like secrets. Numbers and flags are not: `token_ttl`, `password_set`."""
    if isinstance(value, dict):
        found = {
            key: True
            if _NAMES.search(str(key)) and not isinstance(item, bool | int | float)
            else _by_name(item)
            for key, item in value.items()
        }
    elif isinstance(value, list):
        found = {index: _by_name(item) for index, item in enumerate(value)}
    else:
        return isinstance(value, str) and _TEXTS.search(value) is not None
    return {key: mark for key, mark in found.items() if mark}


def _child(value: Any, step: str | int) -> Any:
    if isinstance(value, dict):
        return value.get(step)
    if isinstance(value, list) and isinstance(step, int) and 0 <= step < len(value):
        return value[step]
    return None


def _texts(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        if len(value) >= MIN_LENGTH:
            yield value
    elif isinstance(value, dict | list):
        for item in value.values() if isinstance(value, dict) else value:
            yield from _texts(item)
