"""Plans, and the sealed plan files that are applied exactly or not at all."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable
from datetime import datetime
from typing import Any

from sqlalchemy import Text, and_, cast, or_, select

from bot.domain.run import Plan, PlanStatus
from bot.domain.target import Target
from bot.storage.columns import values
from bot.storage.rows import Rows, context
from bot.storage.tables import plan_files, plans, pulls


class PlanRows(Rows):
    def add(self, plan: Plan, file: bytes) -> None:
        """Keep it with its file, compressed and encrypted. Raises ValueError where the digest is not the file's."""
        _check(plan.id, plan.digest, file)
        self.insert(plans, values(plans, plan))
        self.insert(
            plan_files, {"plan_id": plan.id, "file": self.vault.seal(file, context(plan_files, plan.id))}
        )

    def get(self, plan_id: str) -> Plan | None:
        return self.one(Plan, select(plans).where(plans.c.id == plan_id))

    def known(self, ids: Iterable[str]) -> dict[str, Plan]:
        """Those of the ids that there are, by id."""
        return {plan.id: plan for plan in self.many(Plan, select(plans).where(plans.c.id.in_(list(ids))))}

    def file(self, plan_id: str) -> bytes:
        """Raises KeyError where it is gone, ValueError where it does not decrypt or its digest is wrong."""
        query = select(plan_files.c.file, plans.c.digest).join_from(plan_files, plans)
        row = self.first(query.where(plans.c.id == plan_id))
        if row is None:
            raise KeyError(plan_id)
        file = self.vault.open(row.file, context(plan_files, plan_id))
        _check(plan_id, row.digest, file)
        return file

    def newest(self, target: Target, pull: int) -> Plan | None:
        query = select(plans).where(plans.c.target == target, plans.c.pull == pull)
        return self.one(Plan, query.order_by(plans.c.seq.desc()))

    def newest_of(self, targets: Iterable[Target], pull: int) -> dict[Target, Plan]:
        """The newest plan of a pull request for each of the targets that has one."""
        return self.latest(Plan, plans, targets, plans.c.pull == pull)

    def newest_at(self, target: Target) -> Plan | None:
        """The newest one there, whosever it is."""
        return self.one(Plan, select(plans).where(plans.c.target == target).order_by(plans.c.seq.desc()))

    def elsewhere(self, repository: str, backend: dict[str, Any]) -> Target | None:
        """A target of another repository whose plans were made with the very same backend."""
        same = cast(plans.c.backend, Text) == json.dumps(backend)
        query = select(plans.c.target).where(plans.c.repository != repository, same).limit(1)
        return self.connection.scalars(query).first()

    def take(self, plan_id: str, source: PlanStatus, status: PlanStatus) -> bool:
        """Compare and set: a plan goes from fresh to applying once, whoever asks."""
        taken = plans.update().where(plans.c.id == plan_id, plans.c.status == source)
        return self.count(taken.values(status=status)) == 1

    def supersede(self, target: Target, pull: int, *, except_id: str = "") -> int:
        """All fresh plans of the pull request there become superseded."""
        fresh = and_(plans.c.target == target, plans.c.pull == pull, plans.c.status == "fresh")
        old = plans.update().where(fresh, plans.c.id != except_id)
        return self.count(old.values(status="superseded"))

    def worktrees(self) -> set[str]:
        """Those that fresh plans of open pull requests (or of none) need, and those of plans being applied."""
        of_pull = and_(pulls.c.repository == plans.c.repository, pulls.c.number == plans.c.pull)
        wanted = and_(plans.c.status == "fresh", or_(plans.c.pull == 0, pulls.c.state == "open"))
        query = select(plans.c.worktree).outerjoin_from(plans, pulls, of_pull)
        return set(self.connection.execute(query.where(or_(wanted, plans.c.status == "applying"))).scalars())

    def forget_files(self, before: datetime, limit: int) -> int:
        """Delete the files of `limit` plans at most that were made before that time and can be applied no more; a
        fresh one of a closed pull request is discarded with its file. Returns how many."""
        of_pull = and_(pulls.c.repository == plans.c.repository, pulls.c.number == plans.c.pull)
        closed = and_(plans.c.status == "fresh", plans.c.pull != 0, pulls.c.state != "open")
        over = or_(plans.c.status.not_in(["fresh", "applying"]), closed)
        query = select(plans.c.id).join_from(plan_files, plans).outerjoin(pulls, of_pull)
        old = list(self.connection.scalars(query.where(plans.c.created_at < before, over).limit(limit)).all())
        lapsed = plans.update().where(plans.c.id.in_(old), plans.c.status == "fresh")
        self.connection.execute(lapsed.values(status="discarded"))
        return self.count(plan_files.delete().where(plan_files.c.plan_id.in_(old)))


def _check(plan_id: str, digest: str, file: bytes) -> None:
    if hashlib.sha256(file).hexdigest() != digest:
        raise ValueError(f"plan {plan_id}: the file's sha256 is not the plan's digest")
