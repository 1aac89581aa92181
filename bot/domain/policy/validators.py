"""Building blocks for the field types of the policy file, with error texts that its authors understand."""

from __future__ import annotations

import re
from typing import Annotated, Any, get_args

from pydantic import AfterValidator, BeforeValidator, PlainValidator, Strict, ValidationError, WrapValidator
from pydantic_core.core_schema import ValidatorFunctionWrapHandler

from bot.domain.suggest import hint

LONGEST = 1000
"""Characters of a string."""
MOST_ITEMS = 200
"""Items of a list."""
_PLACEHOLDER = re.compile(r"\{([^{}]*)\}")


class Wrong(ValueError):
    """A value is not valid. The text completes a sentence that begins with the key: "must be true or false"."""


def _one_line(value: str) -> str:
    if not value.strip():
        raise Wrong("must not be empty")
    if len(value) > LONGEST or any(ord(char) < 32 for char in value):
        raise Wrong(f"must be one line of at most {LONGEST} characters")
    return value


Text = Annotated[str, Strict(), AfterValidator(_one_line)]
Flag = Annotated[bool, Strict()]


def expected(what: str) -> WrapValidator:
    """Replace all errors of a value by one: it must be `what`."""

    def check(value: Any, inner: ValidatorFunctionWrapHandler) -> Any:
        try:
            return inner(value)
        except ValidationError:
            raise Wrong(f"must be {what}") from None

    return WrapValidator(check)


def whole(least: int, most: int) -> PlainValidator:
    """A whole number within bounds, both included."""

    def check(value: Any) -> int:
        if not isinstance(value, int) or isinstance(value, bool) or not least <= value <= most:
            raise Wrong(f"must be a whole number from {least} to {most}")
        return value

    return PlainValidator(check)


def choice(literal: Any) -> BeforeValidator:
    """One of the strings of a Literal."""
    allowed: tuple[str, ...] = get_args(literal)
    *others, last = [f'"{one}"' for one in allowed]

    def check(value: Any) -> str:
        if not isinstance(value, str) or value not in allowed:
            meant = hint(value, allowed) if isinstance(value, str) else ""
            raise Wrong(f"must be {', '.join(others)} or {last}{meant}")
        return value

    return BeforeValidator(check)


def listed(what: str, least: int = 0) -> BeforeValidator:
    """A list, as a tuple. Its length is checked before its items are."""
    size = f"{least} to {MOST_ITEMS}" if least else f"at most {MOST_ITEMS}"

    def check(value: Any) -> tuple[Any, ...]:
        if not isinstance(value, list | tuple) or not least <= len(value) <= MOST_ITEMS:
            raise Wrong(f"must be a list of {size} {what}")
        return tuple(value)

    return BeforeValidator(check)


def like(pattern: str, what: str) -> AfterValidator:
    """A string that matches the whole of a regular expression."""
    compiled = re.compile(pattern)

    def check(value: str) -> str:
        if not compiled.fullmatch(value):
            raise Wrong(f"must be {what}")
        return value

    return AfterValidator(check)


def placeholders(*names: str) -> AfterValidator:
    """A string with no placeholders but these. A name that ends in `.` allows every name that begins with it."""
    prefixes = tuple(name for name in names if name.endswith("."))
    allowed = ", ".join(f"{{{name}<name>}}" if name in prefixes else f"{{{name}}}" for name in names)

    def check(value: str) -> str:
        for name in _PLACEHOLDER.findall(value):
            if name not in names and not (prefixes and name.startswith(prefixes)):
                raise Wrong(f"may use {allowed}, not {{{name[:40]}}}")
        return value

    return AfterValidator(check)
