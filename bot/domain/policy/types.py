"""Field types of the policy file: durations, paths, cron expressions, addresses, logins and the like."""

from __future__ import annotations

import re
import shlex
from datetime import UTC, datetime, timedelta
from pathlib import PurePosixPath
from typing import Annotated, Any, Literal
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError, available_timezones

from cronsim import CronSim, CronSimError
from pydantic import AfterValidator, PlainValidator

from bot.domain.order import Input
from bot.domain.policy.freeze_windows import Action
from bot.domain.policy.validators import (
    MOST_ITEMS,
    Text,
    Wrong,
    choice,
    expected,
    like,
    listed,
    placeholders,
    whole,
)
from bot.domain.suggest import hint

_DURATION = re.compile(r"(\d{1,6})(s|m|h|d)")
_UNITS = {"s": "seconds", "m": "minutes", "h": "hours", "d": "days"}
_CREDENTIAL = re.compile(
    r"passw|passphrase|secret|token|credential|(private|access|api|account)_?key|key_?file|kubeconfig|client_certificate",
    re.IGNORECASE,
)
"""What is in the names of variables that are secrets whatever a policy says."""
_IDENTIFIER = r"[A-Za-z_][A-Za-z0-9_-]{0,99}"
_CRON_FIELD = re.compile(r"[\d*/,\-A-Za-z?#]{1,40}")


def _duration(value: Any) -> timedelta:
    if isinstance(value, timedelta):  # from code; TOML has none
        return value
    found = _DURATION.fullmatch(value) if isinstance(value, str) else None
    if found is None:
        raise Wrong('must be a duration such as "90s", "15m", "72h" or "2d"')
    length = timedelta(**{_UNITS[found[2]]: int(found[1])})
    if length > timedelta(days=3650):
        raise Wrong("must be at most ten years")
    return length


def _positive(value: timedelta) -> timedelta:
    if not value:
        raise Wrong("must be greater than zero")
    return value


def at_least(shortest: timedelta) -> AfterValidator:
    """A duration that is not shorter than this, given in whole minutes."""

    def check(value: timedelta) -> timedelta:
        if value < shortest:
            raise Wrong(f"must be at least {shortest // timedelta(minutes=1)} minutes")
        return value

    return AfterValidator(check)


def _inside(value: str) -> str:
    path = PurePosixPath(value)
    if path.is_absolute() or ".." in path.parts or "\\" in value or "~" in path.parts[:1]:
        raise Wrong("must be a path inside the repository, relative to its root")
    return str(path)


def _glob(value: str) -> str:
    if value.count("**") > 3 or value.startswith("!"):
        raise Wrong('must be a glob such as "infra/**", without `!` and with at most three `**`')
    _inside(value)
    return value


def _instance(value: str) -> str:
    if "{pr}" not in value:
        raise Wrong('must contain {pr}, as in "pr-{pr}"')
    if not re.fullmatch(r"[a-z0-9][a-z0-9-]{0,40}", value.replace("{pr}", "1")):
        raise Wrong('must be lowercase letters, digits and `-` around {pr}, as in "pr-{pr}"')
    return value


def _address(value: str) -> str:
    if not re.match(r"(https?://|\{output\.|\{url\})", value):
        raise Wrong("must begin with https://, http:// or an output such as {output.url}")
    return value


def _command(value: str) -> str:
    try:
        shlex.split(value)
    except ValueError:
        raise Wrong("must be a command whose quotes are closed") from None
    return value


def _cron(value: str) -> str:
    fields = value.split()
    known = len(fields) == 5 and all(_CRON_FIELD.fullmatch(part) for part in fields)
    try:
        matches = known and next(CronSim(value, datetime(2026, 1, 1, tzinfo=UTC)), None)
    except CronSimError:
        matches = None
    if not matches:
        raise Wrong('must be a cron expression of five fields that matches some date, such as "0 17 * * 5"')
    return value


def _zone(value: str) -> str:
    try:
        return ZoneInfo(value).key
    except (ZoneInfoNotFoundError, ValueError, OSError):
        meant = hint(value, available_timezones())
    raise Wrong(f'must be a time zone such as "Europe/Berlin"{meant}')


def _inputs(value: Any) -> tuple[Input, ...]:
    """Read variable → `<stack>.<output>`."""
    if isinstance(value, tuple):  # from code; TOML has none
        return value
    if not isinstance(value, dict) or len(value) > MOST_ITEMS:
        raise Wrong(
            f'must be a table of at most {MOST_ITEMS} inputs, such as `{{ vpc_id = "network.vpc_id" }}`'
        )
    found = []
    for variable, source in value.items():
        if not re.fullmatch(_IDENTIFIER, variable):
            raise Wrong(f"must have names of variables, not `{variable[:40]}`")
        parts = (
            re.fullmatch(rf"([a-z][a-z0-9-]*)\.({_IDENTIFIER})", source) if isinstance(source, str) else None
        )
        if parts is None:
            raise Wrong(f'must have a stack and its output for `{variable}`, such as "network.vpc_id"')
        found.append(Input(variable, parts[1], parts[2]))
    return tuple(found)


def _recipient(value: str) -> str:
    """A mistake in a key must be found before an apply, not when its artifacts are encrypted."""
    from pyrage import RecipientError, x25519

    try:
        x25519.Recipient.from_str(value)
    except RecipientError:
        raise Wrong("must be public age keys, as `age-keygen` prints them (`age1…`)") from None
    return value


def _bare(value: str) -> str:
    """Without the `@` that people may write before a login or a team."""
    return value.removeprefix("@")


def _setting(value: str) -> str:
    if _CREDENTIAL.search(value):
        raise Wrong(f"names `{value}`, which is called like a secret; secrets are always redacted")
    return value


Duration = Annotated[timedelta, PlainValidator(_duration)]
Positive = Annotated[Duration, AfterValidator(_positive)]

Directory = Annotated[Text, AfterValidator(_inside)]
Glob = Annotated[Text, AfterValidator(_glob)]
Globs = Annotated[tuple[Glob, ...], listed("globs")]
_VarFile = Annotated[Text, placeholders("env", "stack"), AfterValidator(_inside)]
VarFiles = Annotated[tuple[_VarFile, ...], listed("paths")]
Names = Annotated[tuple[Text, ...], listed("environments")]
StackNames = Annotated[tuple[Text, ...], listed("stacks")]
Inputs = Annotated[tuple[Input, ...], PlainValidator(_inputs)]

Word = Annotated[
    Text, like(r"[A-Za-z0-9][A-Za-z0-9._-]{0,99}", "a name of letters, digits, `.`, `_` and `-`")
]
Outputs = Annotated[tuple[Word, ...], listed("output names")]
_Recipient = Annotated[Text, AfterValidator(_recipient)]
Recipients = Annotated[tuple[_Recipient, ...], listed("age keys")]
_Setting = Annotated[
    Text,
    like(r"[A-Za-z_][A-Za-z0-9_]{0,99}", 'the name of a variable, such as "AWS_REGION"'),
    AfterValidator(_setting),
]
SettingNames = Annotated[tuple[_Setting, ...], listed("names of variables")]
Bucket = Annotated[Text, like(r"[a-z0-9][a-z0-9.-]{1,62}", "a bucket name")]
Endpoint = Annotated[Text, like(r"https?://\S+", "an address that begins with https:// or http://")]
StateKey = Annotated[Text, placeholders("env", "stack", "instance"), AfterValidator(_inside)]
Prefix = Annotated[Text, like(r"[A-Z][A-Z0-9_]{0,60}", 'uppercase letters, digits and `_`, such as "PROD_"')]
Instance = Annotated[Text, placeholders("pr"), AfterValidator(_instance)]
Url = Annotated[Text, placeholders("pr", "env", "stack", "instance", "output."), AfterValidator(_address)]

Login = Annotated[
    Text, like(r"@?[A-Za-z0-9][A-Za-z0-9_-]{0,38}", 'a login such as "ann"'), AfterValidator(_bare)
]
Logins = Annotated[tuple[Login, ...], listed("logins")]
Team = Annotated[
    Text,
    like(r"@?[A-Za-z0-9-]{1,39}/[A-Za-z0-9_.-]{1,100}", 'a team such as "acme/platform"'),
    AfterValidator(_bare),
]
Teams = Annotated[tuple[Team, ...], listed("teams")]

ProviderGlob = Annotated[
    Text,
    like(
        r"(?:[A-Za-z0-9*.-]+(?::\d{1,5})?/)?[A-Za-z0-9*_-]+/[A-Za-z0-9*_-]+",
        'a provider such as "hashicorp/aws" or "registry.example.com/acme/*"',
    ),
]
ProviderGlobs = tuple[ProviderGlob, ...]
Repository = Annotated[
    Text,
    like(
        r"[A-Za-z0-9-]{1,39}/(?!\.{1,2}$)[A-Za-z0-9_.-]{1,100}(?<!\.git)",
        'a repository such as "acme/terraform-modules"',
    ),
    AfterValidator(str.lower),
]
Repositories = Annotated[tuple[Repository, ...], listed("repositories")]

Cron = Annotated[Text, AfterValidator(_cron)]
Zone = Annotated[Text, AfterValidator(_zone)]

HttpAddress = Annotated[
    Text, placeholders("output.", "url", "env", "stack", "instance", "pr"), AfterValidator(_address)
]
HostAndPort = Annotated[
    Text,
    placeholders("output.", "env", "instance", "pr"),
    like(r".+:.+", 'a host and port such as "db.example.com:5432"'),
]
_Line = Annotated[Text, AfterValidator(_command)]
_Words = Annotated[tuple[Text, ...], listed("words", 1)]
Command = Annotated[_Line | _Words, expected("a command whose quotes are closed, or a list of its words")]
_Status = Annotated[int, whole(100, 599)]
_Statuses = Annotated[tuple[_Status, ...], listed("statuses", 1)]
Status = Annotated[_Status | _Statuses, expected("an HTTP status, or a list of them")]

_OnPullRequest = Literal["", "plan", "verify", "apply"]
OnPullRequest = Annotated[_OnPullRequest, choice(_OnPullRequest)]
_OnMerge = Literal["", "sync", "apply"]
OnMerge = Annotated[_OnMerge, choice(_OnMerge)]
_RunnerName = Literal["", "actions"]
RunnerName = Annotated[_RunnerName, choice(_RunnerName)]
_PlanNeeds = Literal["write", "maintain", "approval"]
PlanNeeds = Annotated[_PlanNeeds, choice(_PlanNeeds)]
Parallelism = Annotated[int, whole(1, 256)]
Cap = Annotated[int, whole(1, 1000)]
Label = Annotated[Text, like(r"[^,]{1,50}", "a label of at most 50 characters")]
Count = Annotated[int, whole(0, 20)]
Actions = Annotated[tuple[Annotated[Action, choice(Action)], ...], listed("actions", 1)]
