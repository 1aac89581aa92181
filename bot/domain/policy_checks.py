"""What each key of the policy may hold: a check turns a raw value into ours, or raises Wrong with what it must be."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from datetime import timedelta
from pathlib import PurePosixPath
from typing import Any

from bot.domain.policy_lines import Lines, Path
from bot.domain.suggest import hint

Check = Callable[[Any], Any]

NAME = re.compile(r"[a-z][a-z0-9-]{0,39}")
_DURATION = re.compile(r"(\d{1,6})(s|m|h|d)")
_UNITS = {"s": "seconds", "m": "minutes", "h": "hours", "d": "days"}
_CRON_FIELD = re.compile(r"[\d*/,\-A-Za-z?#]{1,40}")
_ZONE = re.compile(r"[A-Za-z][A-Za-z0-9_+\-/]{0,60}")
_PLACEHOLDER = re.compile(r"\{([^{}]*)\}")
LONGEST = 1000
"""Characters of one text."""
MOST = 200
"""Problems that are looked for; a file with more has one cause."""


class Wrong(Exception):
    """A value is not as it must be; the text follows the key's name."""


class Problems(list[tuple[int, str]]):
    """What is wrong, with lines; empty where nothing is."""

    def __init__(self, source: str, lines: Lines) -> None:
        super().__init__()
        self._source = source
        self._lines = lines

    def add(self, path: Path, what: str) -> None:
        if len(self) < MOST:
            self.append((self._lines.of(path), what))

    def told(self) -> list[str]:
        """One text each, in the order of the file."""
        return [
            f"{self._source} line {line}: {what}" if line else f"{self._source}: {what}"
            for line, what in sorted(self, key=lambda problem: problem[0])
        ]

    def unknown(self, path: Path, table: Mapping[str, Any], known: Iterable[str]) -> None:
        """Tell the keys of `table` that are none of `known`."""
        known = list(known)
        place = f" in [{'.'.join(part[:40] for part in path)}]" if path else ""
        for key in table:
            if key not in known and len(self) < MOST:
                self.add((*path, key), f"unknown key `{key[:60]}`{place}{hint(key, known)}")

    def read(self, path: Path, table: Mapping[str, Any], checks: Mapping[str, Check]) -> dict[str, Any]:
        """The values of the known keys that are as they must be; the others are told."""
        values: dict[str, Any] = {}
        for key, check in checks.items():
            if key in table:
                try:
                    values[key] = check(table[key])
                except Wrong as wrong:
                    self.add((*path, key), f"`{key}` {wrong}")
        return values


def duration(value: Any) -> timedelta:
    """`90s`, `15m`, `72h`, `2d` as a timedelta."""
    found = _DURATION.fullmatch(value) if isinstance(value, str) else None
    if found is None:
        raise Wrong('must be a duration such as "90s", "15m", "72h" or "2d"')
    length = timedelta(**{_UNITS[found[2]]: int(found[1])})
    if length > timedelta(days=3650):
        raise Wrong("must be ten years at most")
    return length


def _positive(value: Any) -> timedelta:
    if not (length := duration(value)):
        raise Wrong("must be longer than nothing")
    return length


def _text(value: Any) -> str:
    if not isinstance(value, str) or not value.strip():
        raise Wrong("must be a text")
    if len(value) > LONGEST or any(ord(char) < 32 for char in value):
        raise Wrong(f"must be one line of {LONGEST} characters at most")
    return value


def _flag(value: Any) -> bool:
    if not isinstance(value, bool):
        raise Wrong("must be true or false")
    return value


def _whole(least: int, most: int) -> Check:
    def check(value: Any) -> int:
        if not isinstance(value, int) or isinstance(value, bool) or not least <= value <= most:
            raise Wrong(f"must be a whole number from {least} to {most}")
        return value

    return check


def _choice(*allowed: str) -> Check:
    def check(value: Any) -> str:
        if not isinstance(value, str) or value not in allowed:
            spelled = " or ".join(f'"{one}"' for one in allowed)
            raise Wrong(f"must be {spelled}" + (hint(value, allowed) if isinstance(value, str) else ""))
        return value

    return check


def _many(check: Check, what: str) -> Check:
    def checked(value: Any) -> tuple[Any, ...]:
        if not isinstance(value, list) or len(value) > 200:
            raise Wrong(f"must be a list of {what}, 200 at most")
        return tuple(check(item) for item in value)

    return checked


def _like(pattern: str, what: str) -> Check:
    compiled = re.compile(pattern)

    def check(value: Any) -> str:
        if not compiled.fullmatch(_text(value)):
            raise Wrong(f"must be {what}")
        return str(value)

    return check


def _template(check: Check, *names: str) -> Check:
    """A text with placeholders, of `names` only; a name that ends in `.` stands for all that begin so."""

    def checked(value: Any) -> Any:
        for name in _PLACEHOLDER.findall(_text(value)):
            if name not in names and not any(
                known.endswith(".") and name.startswith(known) for known in names
            ):
                allowed = ", ".join(f"{{{known}}}" for known in names)
                raise Wrong(f"may use {allowed}, not {{{name[:40]}}}")
        return check(value)

    return checked


def _inside(value: Any) -> str:
    """A path from the repository's top that stays in it."""
    path = PurePosixPath(_text(value))
    if path.is_absolute() or ".." in path.parts or "\\" in value or "~" in path.parts[:1]:
        raise Wrong("must be a path inside the repository, from its top")
    return str(path)


def _glob(value: Any) -> str:
    if _text(value).count("**") > 3 or value.startswith("!"):
        raise Wrong('must be globs such as "infra/**"; without `!`, and with `**` three times at most')
    _inside(value)
    return str(value)


def _instance(value: Any) -> str:
    if "{pr}" not in _text(value):
        raise Wrong('must contain {pr}, as in "pr-{pr}"')
    if not re.fullmatch(r"[a-z0-9][a-z0-9-]{0,40}", value.replace("{pr}", "1")):
        raise Wrong('must be small letters, digits and `-` around {pr}, as in "pr-{pr}"')
    return str(value)


def _address(value: Any) -> str:
    if not re.match(r"(https?://|\{output\.)", _text(value)):
        raise Wrong("must begin with https://, http:// or an output such as {output.url}")
    return str(value)


def _entry(checks: Mapping[str, Check], one_of: tuple[str, ...], also: tuple[str, ...] = ()) -> Check:
    """A table of `checks` with exactly one of `one_of`, and all of `also`; kept as it was written."""

    def check(value: Any) -> dict[str, Any]:
        spelled = ", ".join(f"`{name}`" for name in one_of)
        if not isinstance(value, dict):
            raise Wrong(f"must hold tables such as {{ {one_of[0]} = … }}")
        for key, item in value.items():
            if key not in checks:
                raise Wrong(f"has an unknown key `{key[:60]}`{hint(key, checks)}")
            try:
                checks[key](item)
            except Wrong as wrong:
                raise Wrong(f"has a wrong `{key}`: it {wrong}") from None
        if len([name for name in one_of if name in value]) != 1:
            raise Wrong(f"needs exactly one of {spelled} in each entry")
        for name in also:
            if name not in value:
                raise Wrong(f"needs `{name}` in each entry")
        return value

    return check


def _cron(value: Any) -> str:
    fields = _text(value).split()
    if len(fields) != 5 or not all(_CRON_FIELD.fullmatch(part) for part in fields):
        raise Wrong('must be five cron fields such as "0 17 * * 5"')
    return str(value)


def _either(*checks: Check, what: str) -> Check:
    def check(value: Any) -> Any:
        for one in checks:
            try:
                return one(value)
            except Wrong:
                continue
        raise Wrong(f"must be {what}")

    return check


_STATUS = _whole(100, 599)
_WORD = _like(r"[A-Za-z0-9][A-Za-z0-9._-]{0,99}", "a name of letters, digits, `.`, `_` and `-`")

SMOKE: dict[str, Check] = {
    "name": _text,
    "http": _template(_address, "output.", "url", "env", "stack", "instance", "pr"),
    "tcp": _template(
        _like(r".+:.+", 'a host and port such as "db.example.com:5432"'), "output.", "env", "instance", "pr"
    ),
    "command": _either(_text, _many(_text, "words"), what="a command, or a list of its words"),
    "status": _either(_STATUS, _many(_STATUS, "statuses"), what="an HTTP status, or a list of them"),
    "contains": _text,
    "within": _positive,
    "every": _positive,
    "timeout": _positive,
}
FREEZE: dict[str, Check] = {
    "deny": _cron,
    "allow": _cron,
    "for": _positive,
    "time_zone": _like(_ZONE.pattern, 'a time zone such as "Europe/Berlin"'),
    "reason": _text,
}
APPROVALS: dict[str, Check] = {
    "count": _whole(0, 20),
    "codeowners": _flag,
    "teams": _many(_like(r"@?[\w.-]+(/[\w.-]+)?", 'teams such as "acme/platform"'), "teams"),
    "users": _many(_like(r"@?[A-Za-z0-9-]{1,39}", 'logins such as "ann"'), "logins"),
    "self": _flag,
    "expires": _positive,
}
STACK: dict[str, Check] = {
    "root": _inside,
    "when_modified": _many(_glob, "globs"),
    "environments": _many(_text, "environments"),
}
BACKEND: dict[str, Check] = {
    "kind": _choice("http", "s3"),
    "bucket": _like(r"[a-z0-9][a-z0-9.-]{1,62}", "a bucket's name"),
    "key": _template(_inside, "env", "stack", "instance"),
    "region": _WORD,
    "endpoint": _like(r"https?://\S+", "an address that begins with https:// or http://"),
}
ENVIRONMENT: dict[str, Check] = {
    "on_pull_request": _choice("", "plan", "verify", "apply"),
    "on_merge": _choice("", "sync", "apply"),
    "instance": _template(_instance, "pr"),
    "var_files": _many(_template(_inside, "env", "stack"), "paths"),
    "secrets_prefix": _like(r"[A-Z][A-Z0-9_]{0,60}", 'capital letters, digits and `_`, such as "PROD_"'),
    "url": _template(_address, "pr", "env", "stack", "instance", "output."),
    "ttl": _positive,
    "local": _flag,
    "production": _flag,
    "plan_expires": _positive,
    "lock_expires": _positive,
    "timeout": _positive,
    "parallelism": _whole(1, 256),
    "smoke": _many(_entry(SMOKE, ("http", "tcp", "command")), "checks"),
    "artifacts": _many(_WORD, "outputs' names"),
    "promote_from": _text,
    "soak": duration,
    "freeze": _many(_entry(FREEZE, ("deny", "allow"), ("for",)), "windows"),
}
