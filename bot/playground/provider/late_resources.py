"""Resources whose attributes the cloud fills in late, as AWS does: create and update return one value, the next read
another, though nobody touched anything."""

from __future__ import annotations

from typing import ClassVar

from tf.iface import ReadContext
from tf.schema import Attribute
from tf.types import List, Map, Number, String

from bot.playground.provider.cloud import Cloud
from bot.playground.provider.cloud_resource import CloudResource, State

_TAGS = Attribute("tags", Map(String()), optional=True, computed=True)
_ANY_PORT = -1
"""What a rule for all ports is created with; the cloud reads it back as port 0."""


class LateResource(CloudResource):
    """A resource with attributes that only a read fills in. given: what create returns for them."""

    given: ClassVar[State]

    def computed(self, _key: str, planned: State) -> State:
        return self.given | {
            key: planned[key] for key in self.given if isinstance(planned.get(key), dict | int)
        }

    def read(self, ctx: ReadContext, current: State) -> State | None:
        found = super().read(ctx, current)
        return None if found is None else found | self.late(self.provider.cloud, found)

    def late(self, cloud: Cloud, found: State) -> State:
        """Return what the cloud has filled in since."""
        raise NotImplementedError


class Policy(LateResource):
    """Like `aws_iam_policy`: it counts its attachments, which are made after it."""

    kind = "policy"
    prefix = "pol"
    attributes = (
        Attribute("document", String(), required=True),
        _TAGS,
        Attribute("attachment_count", Number(), computed=True),
    )
    given: ClassVar[State] = {"tags": None, "attachment_count": 0}

    def late(self, cloud: Cloud, found: State) -> State:
        attached = [one for one in cloud.things("attachment").values() if one["policy_id"] == found["id"]]
        return {"tags": found["tags"] or {}, "attachment_count": len(attached)}


class Attachment(CloudResource):
    """Attaches a policy to a role."""

    kind = "attachment"
    prefix = "att"
    attributes = (
        Attribute("policy_id", String(), required=True, requires_replace=True),
        Attribute("role", String(), required=True),
    )

    def computed(self, _key: str, _planned: State) -> State:
        return {}


class Firewall(LateResource):
    """Like `aws_security_group`: it lists its rules, which are resources of their own."""

    kind = "firewall"
    prefix = "fw"
    attributes = (
        Attribute("description", String(), optional=True),
        _TAGS,
        Attribute("ingress", List(String()), computed=True),
        Attribute("egress", List(String()), computed=True),
    )
    given: ClassVar[State] = {"tags": None, "ingress": None, "egress": None}

    def late(self, cloud: Cloud, found: State) -> State:
        rules = [one for one in cloud.things("firewall_rule").values() if one["firewall_id"] == found["id"]]
        lists = {
            way: sorted(one["cidr"] for one in rules if one["way"] == way) for way in ("ingress", "egress")
        }
        return {"tags": found["tags"] or {}, **lists}


class FirewallRule(LateResource):
    """Like `aws_security_group_rule`: `way` is `ingress` or `egress`."""

    kind = "firewall_rule"
    prefix = "fwr"
    attributes = (
        Attribute("firewall_id", String(), required=True, requires_replace=True),
        Attribute("way", String(), required=True),
        Attribute("cidr", String(), required=True),
        Attribute("from_port", Number(), optional=True, computed=True),
    )
    given: ClassVar[State] = {"from_port": _ANY_PORT}

    def late(self, _cloud: Cloud, found: State) -> State:
        port = found["from_port"]
        return {"from_port": 0 if port == _ANY_PORT else port}
