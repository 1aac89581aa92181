"""What the playground's cloud offers: servers, DNS records, clusters."""

from __future__ import annotations

import hashlib
import os
import secrets
from pathlib import Path
from typing import Any, ClassVar

from tf.iface import (
    CreateContext,
    DataSource,
    DeleteContext,
    ImportContext,
    Provider,
    ReadContext,
    Resource,
    UpdateContext,
)
from tf.schema import Attribute, Schema
from tf.types import Number, String
from tf.utils import Diagnostics

from bot.playground.provider.cloud import Cloud, CloudError

State = dict[str, Any]


def _address(key: str) -> str:
    """An address in 203.0.113.0/24, the block for documentation (RFC 5737), always the same for one id."""
    return f"203.0.113.{hashlib.sha256(key.encode()).digest()[0] % 254 + 1}"


class Playground(Provider):  # type: ignore[misc]
    """The provider: configured by its block or by PLAYGROUND_CLOUD_DIR, PLAYGROUND_TOKEN."""

    def __init__(self) -> None:
        self.cloud = Cloud(Path(os.devnull))
        self.delay = 0.0

    def get_model_prefix(self) -> str:
        return "playground_"

    def full_name(self) -> str:
        return "towpath.example/demo/playground"

    def get_provider_schema(self, _diags: Diagnostics) -> Schema:
        return Schema(
            attributes=[
                Attribute("cloud_dir", String(), optional=True),
                Attribute("token", String(), optional=True, sensitive=True),
                Attribute("delay", Number(), optional=True, description="seconds that each operation takes"),
            ]
        )

    def validate_config(self, diags: Diagnostics, config: State) -> None:
        """Nothing to check before the values are known."""

    def configure_provider(self, diags: Diagnostics, config: State) -> None:
        directory = config.get("cloud_dir") or os.environ.get("PLAYGROUND_CLOUD_DIR", "")
        token = config.get("token") or os.environ.get("PLAYGROUND_TOKEN", "")
        self.delay = float(config.get("delay") or 0)
        if not Path(directory).is_absolute():
            diags.add_error("No cloud", "Set PLAYGROUND_CLOUD_DIR to an absolute path.")
            return
        self.cloud = Cloud(Path(directory))
        try:
            self.cloud.admit(token)
        except CloudError as refusal:
            diags.add_error("The cloud refuses", str(refusal))

    def get_data_sources(self) -> list[type[DataSource]]:
        return []

    def get_resources(self) -> list[type[Resource]]:
        return [Server, DnsRecord, Cluster]


class _Thing(Resource):  # type: ignore[misc]
    """Create, read, update and delete of one kind; the subclasses say what it is made of."""

    kind: ClassVar[str]
    prefix: ClassVar[str]
    attributes: ClassVar[tuple[Attribute, ...]]

    def __init__(self, provider: Playground) -> None:
        self.provider = provider

    @classmethod
    def get_name(cls) -> str:
        return cls.kind

    @classmethod
    def get_schema(cls) -> Schema:
        own = Attribute("id", String(), computed=True)
        # Version 0 is Terraform's own for new states; without a number each read would warn of an upgrade.
        return Schema(
            version=0, attributes=[own, Attribute("name", String(), required=True), *cls.attributes]
        )

    def computed(self, key: str, planned: State) -> State:
        """What the cloud itself decides about a new thing."""
        raise NotImplementedError

    def create(self, ctx: CreateContext, planned: State) -> State | None:
        seconds = self.provider.delay + float(planned.get("create_seconds") or 0)
        if not self._operate(ctx, "create", planned, seconds):
            return None
        key = f"{self.prefix}-{secrets.token_hex(4)}"
        thing = planned | {"id": key} | self.computed(key, planned)
        self.provider.cloud.put(self.kind, key, thing)
        return thing

    def read(self, ctx: ReadContext, current: State) -> State | None:
        if not self._operate(ctx, "read", current, 0.0):
            return current
        found = self.provider.cloud.get(self.kind, str(current["id"]))
        return None if found is None else current | {key: found[key] for key in current if key in found}

    def update(self, ctx: UpdateContext, current: State, planned: State) -> State:
        if not self._operate(ctx, "update", planned, self.provider.delay):
            return current
        self.provider.cloud.put(self.kind, str(current["id"]), planned)
        return planned

    def delete(self, ctx: DeleteContext, current: State) -> State | None:
        if not self._operate(ctx, "delete", current, self.provider.delay):
            return current
        self.provider.cloud.drop(self.kind, str(current["id"]))
        return None

    def import_(self, ctx: ImportContext, id: str) -> State | None:  # noqa: A002 - the interface's name
        """By id or by name."""
        things = self.provider.cloud.things(self.kind)
        found = things.get(id) or next((thing for thing in things.values() if thing["name"] == id), None)
        if found is None:
            ctx.diagnostics.add_error("Nothing to import", f"There is no {self.kind} {id!r} in this cloud.")
            return None
        return {a.name: found.get(a.name) for a in self.get_schema().attributes}

    def _operate(self, ctx: Any, operation: str, state: State, seconds: float) -> bool:
        try:
            self.provider.cloud.operate(operation, self.kind, str(state["name"]), seconds)
        except CloudError as refusal:
            ctx.diagnostics.add_error(f"Cannot {operation} {self.kind} {state['name']!r}", str(refusal))
            return False
        return True


class Server(_Thing):
    kind = "server"
    prefix = "srv"
    attributes = (
        Attribute("size", String(), required=True),
        Attribute("image", String(), required=True, requires_replace=True),
        Attribute("region", String(), optional=True, computed=True, default="eu-1"),
        Attribute("user_data", String(), optional=True, sensitive=True),
        Attribute("create_seconds", Number(), optional=True),
        Attribute("ip", String(), computed=True),
    )

    def computed(self, key: str, _planned: State) -> State:
        return {"ip": _address(key)}


class DnsRecord(_Thing):
    kind = "dns_record"
    prefix = "dns"
    attributes = (
        Attribute("value", String(), required=True),
        Attribute("ttl", Number(), optional=True, computed=True, default=300),
    )

    def computed(self, _key: str, _planned: State) -> State:
        return {}


class Cluster(_Thing):
    kind = "cluster"
    prefix = "cls"
    attributes = (
        Attribute("nodes", Number(), required=True),
        Attribute("version", String(), required=True),
        Attribute("endpoint", String(), computed=True),
        Attribute("kubeconfig", String(), computed=True, sensitive=True),
    )

    def computed(self, key: str, planned: State) -> State:
        endpoint = f"https://{_address(key)}:6443"
        lines = [
            "apiVersion: v1",
            "kind: Config",
            f"clusters: [{{name: {planned['name']}, cluster: {{server: '{endpoint}'}}}}]",
            f"users: [{{name: admin, user: {{token: {secrets.token_hex(16)}}}}}]",
        ]
        return {"endpoint": endpoint, "kubeconfig": "\n".join(lines) + "\n"}
