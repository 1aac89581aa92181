"""What single values of the policy may be: a check turns a raw value into ours, or raises Wrong with what it must be."""

from __future__ import annotations

import re
import shlex
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from pathlib import PurePosixPath
from typing import Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError, available_timezones

from cronsim import CronSim, CronSimError

from bot.domain.suggest import hint

Check = Callable[[Any], Any]

_DURATION = re.compile(r"(\d{1,6})(s|m|h|d)")
_UNITS = {"s": "seconds", "m": "minutes", "h": "hours", "d": "days"}
_CRON_FIELD = re.compile(r"[\d*/,\-A-Za-z?#]{1,40}")
_PLACEHOLDER = re.compile(r"\{([^{}]*)\}")
LONGEST = 1000
"""Characters of one text."""


class Wrong(Exception):
    """A value is not as it must be; the text follows the key's name."""


def duration(value: Any) -> timedelta:
    """`90s`, `15m`, `72h`, `2d` as a timedelta."""
    found = _DURATION.fullmatch(value) if isinstance(value, str) else None
    if found is None:
        raise Wrong('must be a duration such as "90s", "15m", "72h" or "2d"')
    length = timedelta(**{_UNITS[found[2]]: int(found[1])})
    if length > timedelta(days=3650):
        raise Wrong("must be ten years at most")
    return length


def positive(value: Any) -> timedelta:
    if not (length := duration(value)):
        raise Wrong("must be longer than nothing")
    return length


def at_least(shortest: timedelta) -> Check:
    """A duration that is no shorter than that."""

    def check(value: Any) -> timedelta:
        if (length := duration(value)) < shortest:
            raise Wrong(f"must be {shortest // timedelta(minutes=1)} minutes at least")
        return length

    return check


def text(value: Any) -> str:
    if not isinstance(value, str) or not value.strip():
        raise Wrong("must be a text")
    if len(value) > LONGEST or any(ord(char) < 32 for char in value):
        raise Wrong(f"must be one line of {LONGEST} characters at most")
    return value


def flag(value: Any) -> bool:
    if not isinstance(value, bool):
        raise Wrong("must be true or false")
    return value


def whole(least: int, most: int) -> Check:
    def check(value: Any) -> int:
        if not isinstance(value, int) or isinstance(value, bool) or not least <= value <= most:
            raise Wrong(f"must be a whole number from {least} to {most}")
        return value

    return check


def choice(*allowed: str) -> Check:
    def check(value: Any) -> str:
        if not isinstance(value, str) or value not in allowed:
            spelled = " or ".join(f'"{one}"' for one in allowed)
            raise Wrong(f"must be {spelled}" + (hint(value, allowed) if isinstance(value, str) else ""))
        return value

    return check


def many(check: Check, what: str, least: int = 0) -> Check:
    def checked(value: Any) -> tuple[Any, ...]:
        if not isinstance(value, list) or not least <= len(value) <= 200:
            raise Wrong(f"must be a list of {what}, {f'{least} at least and ' if least else ''}200 at most")
        return tuple(check(item) for item in value)

    return checked


def like(pattern: str, what: str) -> Check:
    compiled = re.compile(pattern)

    def check(value: Any) -> str:
        if not compiled.fullmatch(text(value)):
            raise Wrong(f"must be {what}")
        return str(value)

    return check


def bare(check: Check) -> Check:
    """A login's or a team's name, without the `@` that people may put before it."""

    def checked(value: Any) -> str:
        return str(check(value)).removeprefix("@")

    return checked


def command(value: Any) -> str:
    """A line that a shell would understand: its quotes are closed."""
    try:
        shlex.split(text(value))
    except ValueError as error:
        raise Wrong(f"cannot be split into words: {str(error).lower()}") from None
    return str(value)


def template(check: Check, *names: str) -> Check:
    """A text with placeholders, of `names` only; a name that ends in `.` stands for all that begin so."""

    def checked(value: Any) -> Any:
        for name in _PLACEHOLDER.findall(text(value)):
            if name not in names and not any(
                known.endswith(".") and name.startswith(known) for known in names
            ):
                allowed = ", ".join(f"{{{known}}}" for known in names)
                raise Wrong(f"may use {allowed}, not {{{name[:40]}}}")
        return check(value)

    return checked


def inside(value: Any) -> str:
    """A path from the repository's top that stays in it."""
    path = PurePosixPath(text(value))
    if path.is_absolute() or ".." in path.parts or "\\" in value or "~" in path.parts[:1]:
        raise Wrong("must be a path inside the repository, from its top")
    return str(path)


def glob(value: Any) -> str:
    if text(value).count("**") > 3 or value.startswith("!"):
        raise Wrong('must be globs such as "infra/**"; without `!`, and with `**` three times at most')
    inside(value)
    return str(value)


def instance(value: Any) -> str:
    if "{pr}" not in text(value):
        raise Wrong('must contain {pr}, as in "pr-{pr}"')
    if not re.fullmatch(r"[a-z0-9][a-z0-9-]{0,40}", value.replace("{pr}", "1")):
        raise Wrong('must be small letters, digits and `-` around {pr}, as in "pr-{pr}"')
    return str(value)


def address(value: Any) -> str:
    if not re.match(r"(https?://|\{output\.|\{url\})", text(value)):
        raise Wrong("must begin with https://, http:// or an output such as {output.url}")
    return str(value)


def entry(
    checks: Mapping[str, Check],
    one_of: tuple[str, ...],
    also: tuple[str, ...] = (),
    only: Mapping[str, str] | None = None,
) -> Check:
    """A table of `checks` with exactly one of `one_of`, and all of `also`. only: key → the one that it belongs to."""

    def check(value: Any) -> dict[str, Any]:
        spelled = ", ".join(f"`{name}`" for name in one_of)
        if not isinstance(value, dict):
            raise Wrong(f"must hold tables such as {{ {one_of[0]} = … }}")
        read = {}
        for key, item in value.items():
            if key not in checks:
                raise Wrong(f"has an unknown key `{key[:60]}`{hint(key, checks)}")
            try:
                read[key] = checks[key](item)
            except Wrong as wrong:
                raise Wrong(f"has a wrong `{key}`: it {wrong}") from None
        if len([name for name in one_of if name in value]) != 1:
            raise Wrong(f"needs exactly one of {spelled} in each entry")
        for name in also:
            if name not in value:
                raise Wrong(f"needs `{name}` in each entry")
        for name, of in (only or {}).items():
            if name in value and of not in value:
                raise Wrong(f"has `{name}` in an entry without `{of}`, where it means nothing")
        return read

    return check


def cron(value: Any) -> str:
    fields = text(value).split()
    known = len(fields) == 5 and all(_CRON_FIELD.fullmatch(part) for part in fields)
    try:
        comes_true = known and next(CronSim(value, datetime(2026, 1, 1, tzinfo=UTC)), None)
    except CronSimError:
        comes_true = False
    if not comes_true:
        raise Wrong('must be five cron fields that come true, such as "0 17 * * 5"')
    return str(value)


def zone(value: Any) -> str:
    try:
        return ZoneInfo(text(value)).key
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise Wrong(
            f'must be a time zone such as "Europe/Berlin"{hint(value, available_timezones())}'
        ) from None


def either(*checks: Check, what: str) -> Check:
    def check(value: Any) -> Any:
        for one in checks:
            try:
                return one(value)
            except Wrong:
                continue
        raise Wrong(f"must be {what}")

    return check
