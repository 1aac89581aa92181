"""The words for problems of `envs/environments.toml`: examples, and the keys that each table has."""

from __future__ import annotations

from dataclasses import fields

from bot.domain.policy.environment import Environment
from bot.domain.policy.identity import AwsIdentity, AzureIdentity, GoogleIdentity, Identity, ServiceIdentity
from bot.domain.policy.model import BackendPolicy, Stack
from bot.domain.policy.needs import HealthCheck, Need
from bot.domain.policy.parity import AllowedDifference, ParityGroup
from bot.domain.policy.problems import Vocabulary
from bot.domain.policy.providers import ProviderRules
from bot.domain.policy.schema import ApprovalRules, Force, FreezeRule, Sleep, SmokeCheck, Table
from bot.domain.policy.toml_lines import Location

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
    "needs": '{ name = "db", command = "postgres -D {data}", ports = [5432] }',
    "name": 'name = "db"',
    "healthy": '{ tcp = "127.0.0.1:5432" }',
    "aws.plan": 'plan = "arn:aws:iam::123456789012:role/towpath-plan"',
    "aws.apply": 'apply = "arn:aws:iam::123456789012:role/towpath-apply"',
    "google.provider": 'provider = "projects/123456789012/locations/global/workloadIdentityPools/towpath/providers/towpath"',
    "google.plan": 'plan = "towpath-plan@acme.iam.gserviceaccount.com"',
    "google.apply": 'apply = "towpath-apply@acme.iam.gserviceaccount.com"',
    "audience": 'audience = "https://vault.example.com"',
    "environments": 'environments = ["staging", "prod"]',
    "what": 'what = "var.nodes"',
    "reason": 'reason = "fewer users"',
    "parity": '{ environments = ["staging", "prod"] }',
    "differences": '{ what = "var.nodes", reason = "fewer users" }',
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
    "parity": ParityGroup,
    "differences": AllowedDifference,
    "needs": Need,
    "healthy": HealthCheck,
}


def _known(table: Location) -> list[str]:
    """The keys of the table at this path."""
    keys = [part for part in table if isinstance(part, str)]
    if not keys:
        return ["stack", "env", "branches", "modules", "providers", "parity", "settings"]
    kind = _TABLES.get(keys[0] if len(keys) == len(table) == 2 else keys[-1], ServiceIdentity)
    if issubclass(kind, Table):
        return [field.alias or name for name, field in kind.model_fields.items()]
    return [field.name for field in fields(kind) if field.name != "name"]


WORDS = Vocabulary(examples=_EXAMPLES, named={"stack": "infra", "env": "prod"}, known=_known)
