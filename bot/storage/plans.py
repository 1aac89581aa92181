"""Store plans and their encrypted plan files."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Text, and_, cast, or_, select

from bot.domain.ports.store import PlanDamaged
from bot.domain.run import Plan, PlanStatus
from bot.domain.target import Target
from bot.storage.columns import values
from bot.storage.rows import Rows, context
from bot.storage.tables import plan_files, plan_pages, plans, pulls


class PlanRows(Rows):
    """Implements bot.domain.ports.store.Plans."""

    def add(self, plan: Plan, file: bytes, pages: Sequence[bytes] = ()) -> None:
        """Raises ValueError if the digest is not the file's."""
        _check_digest(plan.id, plan.digest, file)
        self.insert(plans, values(plans, plan))
        self.insert(
            plan_files, {"plan_id": plan.id, "file": self.vault.seal(file, context(plan_files, plan.id))}
        )
        for number, page in enumerate(pages, 1):
            content = self.vault.seal(page, context(plan_pages, plan.id, number))
            self.insert(plan_pages, {"plan_id": plan.id, "number": number, "content": content})

    def page(self, plan_id: str, number: int) -> bytes | None:
        here = and_(plan_pages.c.plan_id == plan_id, plan_pages.c.number == number)
        row = self.first(select(plan_pages.c.content).where(here))
        return None if row is None else self.vault.open(row.content, context(plan_pages, plan_id, number))

    def get(self, plan_id: str) -> Plan | None:
        return self.one(Plan, select(plans).where(plans.c.id == plan_id))

    def known(self, ids: Iterable[str]) -> dict[str, Plan]:
        return {plan.id: plan for plan in self.many(Plan, select(plans).where(plans.c.id.in_(list(ids))))}

    def file(self, plan_id: str) -> bytes:
        query = select(plan_files.c.file, plans.c.digest).join_from(plan_files, plans)
        row = self.first(query.where(plans.c.id == plan_id))
        if row is None:
            raise PlanDamaged(f"plan {plan_id} has no file")
        try:
            file = self.vault.open(row.file, context(plan_files, plan_id))
            _check_digest(plan_id, row.digest, file)
        except ValueError as error:
            raise PlanDamaged(str(error)) from error
        return file

    def newest(self, target: Target, pull: int) -> Plan | None:
        query = select(plans).where(plans.c.target == target, plans.c.pull == pull)
        return self.one(Plan, query.order_by(plans.c.seq.desc()))

    def newest_of(self, targets: Iterable[Target], pull: int) -> dict[Target, Plan]:
        return self.newest_by_target(Plan, plans, targets, plans.c.pull == pull)

    def of_pull(self, target: Target, pull: int, limit: int) -> list[Plan]:
        query = select(plans).where(plans.c.target == target, plans.c.pull == pull)
        return self.many(Plan, query.order_by(plans.c.seq.desc()).limit(limit))

    def newest_at(self, target: Target) -> Plan | None:
        return self.one(Plan, select(plans).where(plans.c.target == target).order_by(plans.c.seq.desc()))

    def elsewhere(self, repository: str, backend: Mapping[str, Any]) -> Target | None:
        same = cast(plans.c.backend, Text) == json.dumps(backend)
        query = select(plans.c.target).where(plans.c.repository != repository, same).limit(1)
        return self.connection.scalars(query).first()

    def take(self, plan_id: str, source: PlanStatus, status: PlanStatus) -> bool:
        taken = plans.update().where(plans.c.id == plan_id, plans.c.status == source)
        return self.count(taken.values(status=status)) == 1

    def publish(self, ids: Collection[str], at: datetime, *, in_slack: bool = False) -> None:
        column = plans.c.posted_at if in_slack else plans.c.published_at
        later = plans.update().where(plans.c.id.in_(list(ids)), or_(column.is_(None), column > at))
        self.connection.execute(later.values({column.name: at}))

    def supersede(self, target: Target, pull: int, *, except_id: str = "") -> int:
        fresh = and_(plans.c.target == target, plans.c.pull == pull, plans.c.status == "fresh")
        old = plans.update().where(fresh, plans.c.id != except_id)
        return self.count(old.values(status="superseded"))

    def worktrees(self) -> set[str]:
        of_pull = and_(pulls.c.repository == plans.c.repository, pulls.c.number == plans.c.pull)
        usable = and_(
            plans.c.status == "fresh", or_(plans.c.pull == 0, plans.c.sync != "", pulls.c.state == "open")
        )
        query = select(plans.c.worktree).outerjoin_from(plans, pulls, of_pull)
        return set(self.connection.execute(query.where(or_(usable, plans.c.status == "applying"))).scalars())

    def forget_pages(self, before: datetime, limit: int) -> int:
        over = plans.c.status.not_in(["fresh", "applying"])
        query = select(plan_pages.c.plan_id).join_from(plan_pages, plans).distinct()
        old = list(self.connection.scalars(query.where(plans.c.created_at < before, over).limit(limit)).all())
        self.connection.execute(plan_pages.delete().where(plan_pages.c.plan_id.in_(old)))
        return len(old)

    def forget_files(self, before: datetime, limit: int) -> int:
        of_pull = and_(pulls.c.repository == plans.c.repository, pulls.c.number == plans.c.pull)
        closed = and_(
            plans.c.status == "fresh", plans.c.pull != 0, plans.c.sync == "", pulls.c.state != "open"
        )
        over = or_(plans.c.status.not_in(["fresh", "applying"]), closed)
        query = select(plans.c.id).join_from(plan_files, plans).outerjoin(pulls, of_pull)
        old = list(self.connection.scalars(query.where(plans.c.created_at < before, over).limit(limit)).all())
        fresh = plans.update().where(plans.c.id.in_(old), plans.c.status == "fresh")
        self.connection.execute(fresh.values(status="discarded"))
        return self.count(plan_files.delete().where(plan_files.c.plan_id.in_(old)))


def _check_digest(plan_id: str, digest: str, file: bytes) -> None:
    if hashlib.sha256(file).hexdigest() != digest:
        raise ValueError(f"plan {plan_id}: the file does not match the plan's digest")
