"""Resources of the playground's cloud: servers, DNS records, clusters."""

from __future__ import annotations

import hashlib
import os
import secrets
from pathlib import Path

from tf.iface import DataSource, Provider, Resource
from tf.schema import Attribute, Schema
from tf.types import Number, String
from tf.utils import Diagnostics

from bot.playground.provider.cloud import Cloud, CloudError
from bot.playground.provider.cloud_resource import CloudResource, State
from bot.playground.provider.late_resources import Attachment, Firewall, FirewallRule, Policy


def _address(key: str) -> str:
    """Return an address in 203.0.113.0/24, the block for documentation (RFC 5737). It is constant per id."""
    return f"203.0.113.{hashlib.sha256(key.encode()).digest()[0] % 254 + 1}"


class Playground(Provider):  # type: ignore[misc]
    """The provider, configured by its block or by PLAYGROUND_CLOUD_DIR and PLAYGROUND_TOKEN."""

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
                Attribute(
                    "delay", Number(), optional=True, description="Extra seconds that each operation takes."
                ),
            ]
        )

    def validate_config(self, diags: Diagnostics, config: State) -> None:
        """Accept any configuration, as values may not be known yet."""

    def configure_provider(self, diags: Diagnostics, config: State) -> None:
        directory = config.get("cloud_dir") or os.environ.get("PLAYGROUND_CLOUD_DIR", "")
        token = config.get("token") or os.environ.get("PLAYGROUND_TOKEN", "")
        self.delay = float(config.get("delay") or 0)
        if not Path(directory).is_absolute():
            diags.add_error("Cloud not configured", "Set PLAYGROUND_CLOUD_DIR to an absolute path.")
            return
        self.cloud = Cloud(Path(directory))
        try:
            self.cloud.admit(token)
        except CloudError as error:
            diags.add_error("Cannot access the cloud", str(error))

    def get_data_sources(self) -> list[type[DataSource]]:
        return []

    def get_resources(self) -> list[type[Resource]]:
        return [Server, DnsRecord, Cluster, Policy, Attachment, Firewall, FirewallRule]


class Server(CloudResource):
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


class DnsRecord(CloudResource):
    kind = "dns_record"
    prefix = "dns"
    attributes = (
        Attribute("value", String(), required=True),
        Attribute("ttl", Number(), optional=True, computed=True, default=300),
    )

    def computed(self, _key: str, _planned: State) -> State:
        return {}


class Cluster(CloudResource):
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
