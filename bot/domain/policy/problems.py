"""Problems of a policy file, with their lines. Pydantic's errors become sentences here and nowhere else."""

from __future__ import annotations

from dataclasses import fields

from pydantic_core import ErrorDetails

from bot.domain.policy.environment import Environment
from bot.domain.policy.identity import AwsIdentity, AzureIdentity, GoogleIdentity, Identity, ServiceIdentity
from bot.domain.policy.model import BackendPolicy, Stack
from bot.domain.policy.providers import ProviderRules
from bot.domain.policy.schema import ApprovalRules, Force, FreezeRule, Sleep, SmokeCheck, Table
from bot.domain.policy.toml_lines import Lines, Path
from bot.domain.policy.validators import Wrong
from bot.domain.suggest import hint

MOST = 200
"""Problems that are kept. A file with more has one cause."""

Location = tuple[int | str, ...]
"""Keys and list indices that lead to a value."""

_UNKNOWN = ("extra_forbidden", "unexpected_keyword_argument", "multiple_argument_values")
_NO_TABLE = ("dict_type", "model_type", "dataclass_type")
_SENTENCES = {
    "string_type": "must be a string",
    "bool_type": "must be true or false",
    "too_long": "has more than {max_length} tables",
}
_IDS = ("tenant", "subscription", "plan", "apply")
_EXAMPLES = {
    "root": 'root = "infra"',
    "for": 'for = "64h"',
    "approvals": "{ count = 1, self = false }",
    "force": '{ users = ["ann"] }',
    "smoke": '{ http = "{output.url}/healthz" }',
    "sleep": '{ after = "2h", var_files = ["envs/asleep.tfvars"] }',
    "freeze": '{ deny = "0 17 * * 5", for = "64h" }',
    "identity": '{ aws = { plan = "arn:aws:iam::123456789012:role/read", apply = "arn:…" } }',
    "aws.plan": 'plan = "arn:aws:iam::123456789012:role/towpath-plan"',
    "aws.apply": 'apply = "arn:aws:iam::123456789012:role/towpath-apply"',
    "google.provider": 'provider = "projects/123456789012/locations/global/workloadIdentityPools/towpath/providers/towpath"',
    "google.plan": 'plan = "towpath-plan@acme.iam.gserviceaccount.com"',
    "google.apply": 'apply = "towpath-apply@acme.iam.gserviceaccount.com"',
    "audience": 'audience = "https://vault.example.com"',
    "file_variable": 'file_variable = "VAULT_JWT_FILE"',
    **{f"azure.{key}": f'{key} = "00000000-0000-0000-0000-000000000000"' for key in _IDS},
}
_TABLES: dict[str, type[Table | Stack | BackendPolicy | Environment | ProviderRules]] = {
    "stack": Stack,
    "backend": BackendPolicy,
    "env": Environment,
    "smoke": SmokeCheck,
    "freeze": FreezeRule,
    "approvals": ApprovalRules,
    "force": Force,
    "sleep": Sleep,
    "identity": Identity,
    "aws": AwsIdentity,
    "google": GoogleIdentity,
    "azure": AzureIdentity,
    "providers": ProviderRules,
}


class Problems(list[tuple[int, str]]):
    """What is wrong, with lines. Empty where nothing is."""

    def __init__(self, source: str, lines: Lines) -> None:
        super().__init__()
        self._source = source
        self._lines = lines

    def add(self, path: Path, what: str) -> None:
        if len(self) < MOST:
            self.append((self._lines.of(path), what))

    def report(self, table: Path, errors: list[ErrorDetails]) -> None:
        """Add what pydantic found in the table at this path. Unknown keys come first: a typo is often the reason for
        what is missing."""
        ordered = sorted(errors, key=lambda error: error["type"] not in _UNKNOWN)
        for error in ordered[: MOST - len(self)]:
            where = (*table, *error["loc"])
            self.add(before_lists(where), _sentence(where, error))

    def told(self) -> list[str]:
        """One text for each, in the order of the file."""
        return [
            f"{self._source} line {line}: {what}" if line else f"{self._source}: {what}"
            for line, what in sorted(self, key=lambda problem: problem[0])
        ]


def before_lists(where: Location) -> Path:
    """The keys up to the first list index: the line of a list's item is not known."""
    keys: list[str] = []
    for part in where:
        if isinstance(part, int):
            break
        keys.append(part)
    return tuple(keys)


def _sentence(where: Location, error: ErrorDetails) -> str:
    """Error types without a sentence of their own are told as "is not valid", never in pydantic's words."""
    kind, context = error["type"], error.get("ctx", {})
    key = str(where[-1])
    if kind in _UNKNOWN:
        return f"unknown key `{key[:60]}`{_place(where[:-1])}{hint(key, _known(where[:-1]))}"
    if kind == "missing":
        return f"{_subject(where[:-1])} has no `{key}`, such as `{_example(where)}`"
    if kind in _NO_TABLE:
        return _no_table(where)
    if isinstance(wrong := context.get("error"), Wrong):
        return f"{_subject(where)} {wrong}"
    return f"{_subject(where)} {_SENTENCES.get(kind, 'is not valid').format(**context)}"


def _subject(where: Location) -> str:
    """`[env.prod]`, `approvals`, `when_modified` item 2, or `smoke` item 1: `http`."""
    keys = before_lists(where)
    if len(where) == len(keys) == 2 and keys[0] in ("stack", "env"):
        return _header(keys)
    text = ""
    for part in where[len(keys) - 1 :]:
        text += f" item {part + 1}" if isinstance(part, int) else f"{': ' if text else ''}`{part[:60]}`"
    return text


def _example(where: Location) -> str:
    """The key with a value: `plan` means something else in each cloud."""
    key = str(where[-1])
    return _EXAMPLES.get(f"{where[-2]}.{key}") or _EXAMPLES[key]


def _place(table: Location) -> str:
    if not table:
        return ""
    keys = before_lists(table)
    return f" in {_subject(table)}" if len(keys) < len(table) else f" in {_header(keys).strip('`')}"


def _header(keys: Path) -> str:
    return f"`[{'.'.join(key[:40] for key in keys)}]`"


def _no_table(where: Location) -> str:
    keys = before_lists(where)
    if keys == ("providers",):
        return "`providers` must be a table: `[providers]`"
    if len(keys) == 1:
        return f"`{keys[0]}` must be tables such as `[{keys[0]}.{'infra' if keys[0] == 'stack' else 'prod'}]`"
    if len(keys) > 2 and keys[-1] in _EXAMPLES:
        return f"{_subject(where)} must be a table such as `{_EXAMPLES[keys[-1]]}`"
    return f"`{_header(keys)[2:-2]}` must be a table: {_header(keys)}"


def _known(table: Location) -> list[str]:
    """The keys of the table at this path."""
    keys = before_lists(table)
    if not keys:
        return ["stack", "env", "branches", "modules", "providers"]
    kind = _TABLES.get(keys[0] if len(keys) == 2 else keys[-1], ServiceIdentity)
    if issubclass(kind, Table):
        return [field.alias or name for name, field in kind.model_fields.items()]
    return [field.name for field in fields(kind) if field.name != "name"]
