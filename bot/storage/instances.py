"""Store the instances of pull requests."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

from sqlalchemy import or_, select

from bot.domain.previews import Instance
from bot.domain.target import Target
from bot.storage.columns import values
from bot.storage.rows import Rows
from bot.storage.tables import instances, state_heads, states

INSTANCE_KEY = "%:%:%:%"
"""LIKE pattern of the keys of targets with an instance; see bot.domain.target.Target.key."""


class InstanceRows(Rows):
    """Implements bot.domain.ports.records.Instances."""

    def get(self, target: Target) -> Instance | None:
        return self.one(Instance, select(instances).where(instances.c.target == target))

    def save(self, instance: Instance) -> None:
        row = {**values(instances, instance), "environment": instance.target.environment}
        self.replace(instances, row)

    def of_targets(self, targets: Iterable[Target]) -> dict[Target, Instance]:
        query = select(instances).where(instances.c.target.in_(list(targets)))
        return {one.target: one for one in self.many(Instance, query)}

    def of_pull(self, repository: str, pull: int) -> list[Instance]:
        of_pull = select(instances).where(instances.c.repository == repository, instances.c.pull == pull)
        return self.many(Instance, of_pull.order_by(instances.c.target))

    def of_environment(self, repository: str, environment: str) -> list[Instance]:
        query = select(instances).where(
            instances.c.repository == repository,
            instances.c.environment == environment,
            instances.c.state != "gone",
        )
        return self.many(Instance, query.order_by(instances.c.created_at))

    def present(self) -> list[Instance]:
        query = select(instances).where(instances.c.state != "gone")
        return self.many(Instance, query.order_by(instances.c.created_at, instances.c.target))

    def unrecorded(self) -> list[str]:
        current = states.join(state_heads, state_heads.c.state_id == states.c.id)
        query = (
            select(states.c.target_key)
            .select_from(current.outerjoin(instances, instances.c.target == states.c.target_key))
            .where(
                states.c.target_key.like(INSTANCE_KEY),
                states.c.resources > 0,
                or_(instances.c.target.is_(None), instances.c.state == "gone"),
            )
        )
        return list(self.connection.scalars(query.order_by(states.c.target_key)).all())

    def ended(self, before: datetime, limit: int) -> list[Instance]:
        query = select(instances).where(instances.c.state == "gone", instances.c.ended_at < before)
        return self.many(Instance, query.order_by(instances.c.ended_at).limit(limit))

    def forget(self, target: Target) -> None:
        self.connection.execute(instances.delete().where(instances.c.target == target))
