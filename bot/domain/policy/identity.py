"""`identity` of an environment: the roles that its runs get from clouds, in exchange for a token of Towpath's own."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Annotated, Self

from pydantic import ConfigDict, Field, model_validator

from bot.domain.policy.schema import Table
from bot.domain.policy.validators import Text, Wrong, like

_SERVICE = re.compile(r"[a-z][a-z0-9-]{0,39}")
_UUID = r"[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}"
_EXAMPLE_UUID = 'an id such as "00000000-0000-0000-0000-000000000000"'
_CLOUDS = {"AWS": "aws", "GOOGLE": "google", "ARM": "azure"}
"""First words of the clouds' variables."""

RoleArn = Annotated[
    Text,
    like(
        r"arn:aws(-[a-z]+)*:iam::\d{12}:role/[\w+=,.@/-]{1,576}",
        'a role such as "arn:aws:iam::123456789012:role/towpath-plan"',
    ),
]
Provider = Annotated[
    Text,
    like(
        r"projects/\d{1,20}/locations/global/workloadIdentityPools/[a-z0-9-]{4,32}/providers/[a-z0-9-]{4,32}",
        'a provider such as "projects/123456789012/locations/global/workloadIdentityPools/towpath/providers/towpath", '
        "with the project's number",
    ),
]
ServiceAccount = Annotated[
    Text,
    like(
        r"[a-z0-9.-]{1,100}@[a-z0-9.-]{1,100}\.gserviceaccount\.com",
        'a service account such as "towpath-plan@acme.iam.gserviceaccount.com"',
    ),
]
Id = Annotated[Text, like(_UUID, _EXAMPLE_UUID)]
Audience = Annotated[Text, like(r"[\x21-\x7e]{1,500}", "one word of at most 500 ASCII characters")]
VariableName = Annotated[
    Text, like(r"[A-Za-z_][A-Za-z0-9_]{0,99}", 'the name of a variable, such as "VAULT_JWT_FILE"')
]


class AwsIdentity(Table):
    """Roles to assume. plan: read-only; apply: may change things."""

    plan: RoleArn
    apply: RoleArn
    audience: Audience = "sts.amazonaws.com"


class GoogleIdentity(Table):
    """Service accounts to impersonate through a workload identity provider. An empty audience is the provider's own."""

    provider: Provider
    plan: ServiceAccount
    apply: ServiceAccount
    audience: Audience = ""


class AzureIdentity(Table):
    """Applications (client ids) or managed identities to act as, in one tenant and subscription."""

    tenant: Id
    subscription: Id
    plan: Id
    apply: Id
    audience: Audience = "api://AzureADTokenExchange"


class ServiceIdentity(Table):
    """Any other service that accepts tokens. file_variable: gets the path of the file with the token."""

    audience: Audience
    file_variable: VariableName


class Identity(Table):
    """What an environment's runs are in clouds. Other keys than these three are names of other services."""

    model_config = ConfigDict(extra="allow")
    __pydantic_extra__: dict[str, ServiceIdentity] = Field(init=False)

    aws: AwsIdentity | None = None
    google: GoogleIdentity | None = None
    azure: AzureIdentity | None = None

    def __bool__(self) -> bool:
        """Whether runs get any token."""
        return bool(self.audiences)

    @property
    def services(self) -> dict[str, ServiceIdentity]:
        """Other services, by name."""
        return dict(self.__pydantic_extra__ or {})

    @property
    def audiences(self) -> dict[str, str]:
        """Name of the cloud or service → `aud` of its token."""
        return dict(self._audiences())

    def _audiences(self) -> Iterator[tuple[str, str]]:
        if self.aws:
            yield "aws", self.aws.audience
        if self.google:
            # a provider without allowed audiences accepts its own name as this address
            own = f"https://iam.googleapis.com/{self.google.provider}"
            yield "google", self.google.audience or own
        if self.azure:
            yield "azure", self.azure.audience
        for name, service in self.services.items():
            yield name, service.audience

    @model_validator(mode="after")
    def _distinct(self) -> Self:
        for name in self.services:
            if not _SERVICE.fullmatch(name):
                raise Wrong(f"names a service `{name[:40]}`; use lowercase letters, digits and `-`")
        seen: dict[str, str] = {}
        for name, audience in self.audiences.items():
            if audience in seen:
                raise Wrong(
                    f"has the same audience for `{seen[audience]}` and `{name}`, so that each could use the other's token"
                )
            seen[audience] = name
        variables = [service.file_variable for service in self.services.values()]
        for name in variables:
            if variables.count(name) > 1:
                raise Wrong(f"sets `{name}` for two services")
            cloud = _CLOUDS.get(name.partition("_")[0], "")
            if cloud in self.audiences:
                raise Wrong(f"sets `{name}` for a service, which could be one of the variables of `{cloud}`")
        return self
