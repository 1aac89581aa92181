"""What all resources of the playground's cloud have in common."""

from __future__ import annotations

import secrets
from typing import Any, ClassVar, Protocol

from tf.iface import CreateContext, DeleteContext, ImportContext, ReadContext, Resource, UpdateContext
from tf.schema import Attribute, Schema
from tf.types import String

from bot.playground.provider.cloud import Cloud, CloudError

State = dict[str, Any]


class Configured(Protocol):
    """A provider with its cloud. delay: extra seconds that each operation takes."""

    cloud: Cloud
    delay: float


class CloudResource(Resource):  # type: ignore[misc]
    """Create, read, update and delete of one kind of resource. Subclasses define its attributes."""

    kind: ClassVar[str]
    prefix: ClassVar[str]
    attributes: ClassVar[tuple[Attribute, ...]]

    def __init__(self, provider: Configured) -> None:
        self.provider = provider

    @classmethod
    def get_name(cls) -> str:
        return cls.kind

    @classmethod
    def get_schema(cls) -> Schema:
        own = Attribute("id", String(), computed=True)
        # New states have version 0. Without it, each read would warn about a state upgrade.
        return Schema(
            version=0, attributes=[own, Attribute("name", String(), required=True), *cls.attributes]
        )

    def computed(self, key: str, planned: State) -> State:
        """Return the attributes that the cloud assigns to a new resource."""
        raise NotImplementedError

    def create(self, ctx: CreateContext, planned: State) -> State | None:
        seconds = self.provider.delay + float(planned.get("create_seconds") or 0)
        if not self._operate(ctx, "create", planned, seconds):
            return None
        key = f"{self.prefix}-{secrets.token_hex(4)}"
        attributes = planned | {"id": key} | self.computed(key, planned)
        self.provider.cloud.put(self.kind, key, attributes)
        return attributes

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
        """Import a resource by id or name."""
        existing = self.provider.cloud.things(self.kind)
        found = existing.get(id) or next((one for one in existing.values() if one["name"] == id), None)
        if found is None:
            ctx.diagnostics.add_error("Resource not found", f"There is no {self.kind} {id!r} in this cloud.")
            return None
        return {a.name: found.get(a.name) for a in self.get_schema().attributes}

    def _operate(self, ctx: Any, operation: str, state: State, seconds: float) -> bool:
        try:
            self.provider.cloud.operate(operation, self.kind, str(state["name"]), seconds)
        except CloudError as error:
            ctx.diagnostics.add_error(f"Cannot {operation} {self.kind} {state['name']!r}", str(error))
            return False
        return True
