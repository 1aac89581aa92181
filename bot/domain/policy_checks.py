"""What each key of the policy may hold, and the problems that are found."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Any

from bot.domain import policy_values as a
from bot.domain.drift import LEAST
from bot.domain.policy_lines import Lines, Path
from bot.domain.policy_values import Check, Wrong
from bot.domain.suggest import hint

NAME = re.compile(r"[a-z][a-z0-9-]{0,39}")
MOST = 200
"""Problems that are looked for; a file with more has one cause."""


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


_STATUS = a.whole(100, 599)
_WORD = a.like(r"[A-Za-z0-9][A-Za-z0-9._-]{0,99}", "a name of letters, digits, `.`, `_` and `-`")

SMOKE: dict[str, Check] = {
    "name": a.text,
    "http": a.template(a.address, "output.", "url", "env", "stack", "instance", "pr"),
    "tcp": a.template(
        a.like(r".+:.+", 'a host and port such as "db.example.com:5432"'), "output.", "env", "instance", "pr"
    ),
    "command": a.either(
        a.command,
        a.many(a.text, "words", 1),
        what="a command whose quotes are closed, or a list of its words",
    ),
    "status": a.either(_STATUS, a.many(_STATUS, "statuses", 1), what="an HTTP status, or a list of them"),
    "contains": a.text,
    "within": a.positive,
    "every": a.positive,
    "timeout": a.positive,
}
FREEZE: dict[str, Check] = {
    "deny": a.cron,
    "allow": a.cron,
    "for": a.positive,
    "time_zone": a.zone,
    "reason": a.text,
    "actions": a.many(a.choice("plan", "apply"), "actions", 1),
}
APPROVALS: dict[str, Check] = {
    "count": a.whole(0, 20),
    "codeowners": a.flag,
    "teams": a.many(
        a.bare(a.like(r"@?[A-Za-z0-9-]{1,39}/[A-Za-z0-9_.-]{1,100}", 'teams such as "acme/platform"')),
        "teams",
    ),
    "users": a.many(a.bare(a.like(r"@?[A-Za-z0-9][A-Za-z0-9_-]{0,38}", 'logins such as "ann"')), "logins"),
    "self": a.flag,
    "expires": a.positive,
}
FORCE: dict[str, Check] = {name: APPROVALS[name] for name in ("teams", "users")}
STACK: dict[str, Check] = {
    "root": a.inside,
    "when_modified": a.many(a.glob, "globs"),
    "environments": a.many(a.text, "environments"),
}
BACKEND: dict[str, Check] = {
    "kind": a.choice("http", "s3"),
    "bucket": a.like(r"[a-z0-9][a-z0-9.-]{1,62}", "a bucket's name"),
    "key": a.template(a.inside, "env", "stack", "instance"),
    "region": _WORD,
    "endpoint": a.like(r"https?://\S+", "an address that begins with https:// or http://"),
}
ENVIRONMENT: dict[str, Check] = {
    "on_pull_request": a.choice("", "plan", "verify", "apply"),
    "on_merge": a.choice("", "sync", "apply"),
    "instance": a.template(a.instance, "pr"),
    "var_files": a.many(a.template(a.inside, "env", "stack"), "paths"),
    "secrets_prefix": a.like(r"[A-Z][A-Z0-9_]{0,60}", 'capital letters, digits and `_`, such as "PROD_"'),
    "url": a.template(a.address, "pr", "env", "stack", "instance", "output."),
    "ttl": a.positive,
    "local": a.flag,
    "laptop": a.flag,
    "production": a.flag,
    "plan_expires": a.positive,
    "lock_expires": a.positive,
    "drift": a.at_least(LEAST),
    "timeout": a.positive,
    "parallelism": a.whole(1, 256),
    "smoke": a.many(
        a.entry(SMOKE, ("http", "tcp", "command"), only={"status": "http", "contains": "http"}), "checks"
    ),
    "artifacts": a.many(_WORD, "outputs' names"),
    "promote_from": a.text,
    "soak": a.duration,
    "plan_needs": a.choice("write", "maintain", "approval"),
    "freeze": a.many(a.entry(FREEZE, ("deny", "allow"), ("for",)), "windows"),
}
