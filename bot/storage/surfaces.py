"""Store surfaces, and which of them are due.

A claim hides a surface from other workers until `claimed_until`, when it is due again: if the worker dies, another one
takes over. `again` marks a surface that was requested again since the claim, so that settling it keeps that request.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from functools import cache
from typing import Any

from sqlalchemy import ColumnElement, RowMapping, Text, case, cast, or_, select
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.dialects.postgresql import Insert as PostgresInsert
from sqlalchemy.dialects.sqlite import Insert

from bot.domain.ports.surfaces import Surface, SurfaceKind
from bot.storage.columns import read, values
from bot.storage.rows import Rows
from bot.storage.tables import surfaces


@dataclass(frozen=True)
class SurfaceRows(Rows):
    """Implements bot.domain.ports.surfaces.Surfaces. wakes: `Tables.wakes`, marked when a surface becomes due now."""

    wakes: set[str] = field(default_factory=set)

    def want(self, surface: Surface) -> None:
        """A surface that failed keeps the time of its next try: new requests must not override a rate limit."""
        row = values(surfaces, surface) | {"again": False}
        if surface.due_at is not None and surface.due_at <= datetime.now(UTC):
            self.wakes.add("surfaces")
        self.connection.execute(
            _upsert_statement(self.connection.dialect.name, set_wanted=bool(surface.wanted)), row
        )

    def get(self, surface_id: str) -> Surface | None:
        return self.one(Surface, select(surfaces).where(surfaces.c.id == surface_id))

    def claim(self, now: datetime, until: datetime, worker: str = "", most: int = 1) -> list[Surface]:
        free = or_(surfaces.c.claimed_until.is_(None), surfaces.c.claimed_until <= now)
        due = select(surfaces).where(surfaces.c.due_at <= now, free).with_for_update(skip_locked=True)
        query = due.order_by(surfaces.c.urgent.desc(), surfaces.c.due_at, surfaces.c.id)
        first = self.one(Surface, query)
        if first is None:
            return []
        chosen = [first]
        if first.pull and most > 1:
            same_pull = (surfaces.c.repository == first.repository, surfaces.c.pull == first.pull)
            others = query.where(*same_pull, surfaces.c.id != first.id).limit(most - 1)
            chosen += self.many(Surface, others)
        claimed = surfaces.update().where(surfaces.c.id.in_([surface.id for surface in chosen]))
        row = {"due_at": until, "claimed_until": until, "claimed_by": worker, "again": False}
        self.connection.execute(claimed.values(row))
        return [replace(surface, due_at=until) for surface in chosen]

    def in_thread(self, channel: str, ts: str) -> Surface | None:
        cards = select(surfaces).where(surfaces.c.kind == "card")
        posted = cast(surfaces.c.external, Text).contains(
            json.dumps(ts)
        )  # a rough filter, checked exactly below
        for card in self.many(Surface, cards.where(posted)):
            if (card.external.get("channel"), card.external.get("ts")) == (channel, ts):
                return card
        return None

    def free(self, worker: str, now: datetime) -> int:
        claimed = surfaces.update().where(
            surfaces.c.claimed_by == worker, surfaces.c.claimed_until.is_not(None)
        )
        return self.count(claimed.values(claimed_until=None, due_at=now))

    def save(self, surface: Surface) -> None:
        """What was requested since the claim stays requested and due."""
        row = values(surfaces, surface)
        if self._update_if(surface.id, row, ~surfaces.c.again) or self._insert(surface):
            return
        old = self._locked(surface.id)
        self._change(surface.id, _merged(surface, old, again=old["again"]))

    def settle(self, surface: Surface, seen_due: datetime | None) -> None:
        """surface.due_at: when to project it next, or None. seen_due: `due_at` as returned by the claim.

        It stays due if it was requested again meanwhile, or if the claim expired and another worker has it now.
        """
        unchanged = (~surfaces.c.again, surfaces.c.due_at == seen_due, surfaces.c.claimed_until == seen_due)
        row = values(surfaces, surface) | {"claimed_until": None}
        if self._update_if(surface.id, row, *unchanged) or self._insert(surface):
            return
        old = self._locked(surface.id)
        row = _merged(surface, old, again=old["again"] or old["due_at"] != seen_due)
        if old["claimed_until"] == seen_due:
            row |= {"claimed_until": None, "again": False}
        self._change(surface.id, row)

    def of_pull(self, repository: str, pull: int, kind: SurfaceKind | None = None) -> list[Surface]:
        query = select(surfaces).where(surfaces.c.repository == repository, surfaces.c.pull == pull)
        if kind is not None:
            query = query.where(surfaces.c.kind == kind)
        return self.many(Surface, query.order_by(surfaces.c.id))

    def retry(self, now: datetime) -> int:
        given_up = surfaces.update().where(
            surfaces.c.error != "",
            surfaces.c.attempts == 0,
            surfaces.c.due_at > now,
            surfaces.c.claimed_until.is_(None),
        )
        return self.count(given_up.values(due_at=now))

    def forget(self, kinds: Sequence[SurfaceKind], before: datetime, limit: int) -> int:
        old = select(surfaces.c.id).where(
            surfaces.c.kind.in_(kinds), surfaces.c.due_at.is_(None), surfaces.c.settled_at < before
        )
        settled = surfaces.delete().where(surfaces.c.id.in_(old.limit(limit)), surfaces.c.due_at.is_(None))
        return self.count(settled)

    def _insert(self, surface: Surface) -> bool:
        return self.upsert(surfaces, values(surfaces, surface) | {"again": False})

    def _update_if(self, surface_id: str, row: Mapping[str, Any], *where: ColumnElement[bool]) -> bool:
        """Update the row if the conditions hold. In most cases they do, so that one statement is enough."""
        return self.count(surfaces.update().where(surfaces.c.id == surface_id, *where).values(row)) == 1

    def _locked(self, surface_id: str) -> RowMapping:
        query = select(surfaces).where(surfaces.c.id == surface_id).with_for_update()
        return self.connection.execute(query).mappings().one()

    def _change(self, surface_id: str, row: Mapping[str, Any]) -> None:
        self.connection.execute(surfaces.update().where(surfaces.c.id == surface_id).values(row))


@cache
def _upsert_statement(dialect: str, *, set_wanted: bool) -> Insert | PostgresInsert:
    """Return the statement of `want`; cached, since it is the one that runs most often."""
    insert = sqlite.insert(surfaces) if dialect == "sqlite" else postgresql.insert(surfaces)
    new, old = insert.excluded, surfaces.c
    keeps_due_at = or_(old.attempts > 0, new.due_at.is_(None), old.due_at <= new.due_at)
    change: dict[str, ColumnElement[Any]] = {
        "due_at": case((old.due_at.is_(None), new.due_at), (keeps_due_at, old.due_at), else_=new.due_at),
        "urgent": case((old.due_at.is_(None), new.urgent), else_=or_(old.urgent, new.urgent)),
        "again": old.claimed_until.is_not(None),
    }
    if set_wanted:
        change["wanted"] = new.wanted
    return insert.on_conflict_do_update(index_elements=[old.id], set_=change)


def _merged(surface: Surface, old: RowMapping, *, again: bool) -> dict[str, Any]:
    """Return `surface` as a row; if it was requested again, with what the row `old` requests."""
    if again:
        request = read(Surface, old)
        due_at = surface.due_at if surface.attempts else _earlier(request.due_at, surface.due_at)
        surface = replace(surface, wanted=request.wanted, urgent=request.urgent, due_at=due_at)
    return values(surfaces, surface)


def _earlier(one: datetime | None, other: datetime | None) -> datetime | None:
    return min((time for time in (one, other) if time is not None), default=None)
