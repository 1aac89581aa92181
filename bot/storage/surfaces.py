"""Surfaces, and which of them is due.

A claim hides a surface until `claimed_until`, and leaves it due then: if the worker dies, another one takes over.
`again` says that somebody wanted it once more since the claim, so that settling does not lose their wish.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime
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


class SurfaceRows(Rows):
    def want(self, surface: Surface) -> None:
        """Insert, or for an existing id: take over `wanted` (where not empty), and make it due at the earlier time.

        One that failed keeps the time of its next try: new wishes must not hurry a platform that asked to wait.
        """
        row = values(surfaces, surface) | {"again": False}
        self.connection.execute(_wish(self.connection.dialect.name, worded=bool(surface.wanted)), row)

    def get(self, surface_id: str) -> Surface | None:
        return self.one(Surface, select(surfaces).where(surfaces.c.id == surface_id))

    def claim(self, now: datetime, until: datetime, worker: str = "", most: int = 1) -> list[Surface]:
        """The most urgent due one, and with it due ones of the same pull request, `most` in all: hidden from other
        workers until `until`, which is their `due_at` then."""
        free = or_(surfaces.c.claimed_until.is_(None), surfaces.c.claimed_until <= now)
        due = select(surfaces).where(surfaces.c.due_at <= now, free).with_for_update(skip_locked=True)
        query = due.order_by(surfaces.c.urgent.desc(), surfaces.c.due_at, surfaces.c.id)
        first = self.one(Surface, query)
        if first is None:
            return []
        found = [first]
        if first.pull and most > 1:
            mine = (surfaces.c.repository == first.repository, surfaces.c.pull == first.pull)
            others = query.where(*mine, surfaces.c.id != first.id).limit(most - 1)
            found += self.many(Surface, others)
        claimed = surfaces.update().where(surfaces.c.id.in_([one.id for one in found]))
        row = {"due_at": until, "claimed_until": until, "claimed_by": worker, "again": False}
        self.connection.execute(claimed.values(row))
        return [replace(one, due_at=until) for one in found]

    def in_thread(self, channel: str, ts: str) -> Surface | None:
        """The card that was posted as message `ts` of a Slack channel."""
        cards = select(surfaces).where(surfaces.c.kind == "card")
        posted = cast(surfaces.c.external, Text).contains(json.dumps(ts))  # narrows; what follows decides
        for card in self.many(Surface, cards.where(posted)):
            if (card.external.get("channel"), card.external.get("ts")) == (channel, ts):
                return card
        return None

    def free(self, worker: str, now: datetime) -> int:
        """End the claims of a worker that died: what it was about to show is due. Returns how many."""
        claimed = surfaces.update().where(
            surfaces.c.claimed_by == worker, surfaces.c.claimed_until.is_not(None)
        )
        return self.count(claimed.values(claimed_until=None, due_at=now))

    def save(self, surface: Surface) -> None:
        """Insert or replace. What was wanted since the claim stays wanted and due."""
        row = values(surfaces, surface)
        if self._plainly(surface.id, row, ~surfaces.c.again) or self._insert(surface):
            return
        old = self._locked(surface.id)
        self._change(surface.id, _merged(surface, old, again=old["again"]))

    def settle(self, surface: Surface, seen_due: datetime | None) -> None:
        """Save what was posted, and end the claim.

        surface.due_at: when to project next, or None. seen_due: `due_at` as the claim gave it. It stays due where
        somebody wanted it again meanwhile, or where the claim ran out and is another worker's now.
        """
        mine = (~surfaces.c.again, surfaces.c.due_at == seen_due, surfaces.c.claimed_until == seen_due)
        row = values(surfaces, surface) | {"claimed_until": None}
        if self._plainly(surface.id, row, *mine) or self._insert(surface):
            return
        old = self._locked(surface.id)
        row = _merged(surface, old, again=old["again"] or old["due_at"] != seen_due)
        if old["claimed_until"] == seen_due:
            row |= {"claimed_until": None, "again": False}
        self._change(surface.id, row)

    def of_pull(self, repository: str, pull: int, kind: SurfaceKind | None = None) -> list[Surface]:
        """In the order of their ids."""
        query = select(surfaces).where(surfaces.c.repository == repository, surfaces.c.pull == pull)
        if kind is not None:
            query = query.where(surfaces.c.kind == kind)
        return self.many(Surface, query.order_by(surfaces.c.id))

    def retry(self, now: datetime) -> int:
        """Make due what was given up and is only tried now and then; returns how many."""
        left = surfaces.update().where(
            surfaces.c.error != "",
            surfaces.c.attempts == 0,
            surfaces.c.due_at > now,
            surfaces.c.claimed_until.is_(None),
        )
        return self.count(left.values(due_at=now))

    def forget(self, kinds: Sequence[SurfaceKind], before: datetime, limit: int) -> int:
        """Delete `limit` of these kinds at most that are settled since before that time; returns how many."""
        old = select(surfaces.c.id).where(
            surfaces.c.kind.in_(kinds), surfaces.c.due_at.is_(None), surfaces.c.settled_at < before
        )
        done = surfaces.delete().where(surfaces.c.id.in_(old.limit(limit)), surfaces.c.due_at.is_(None))
        return self.count(done)

    def _insert(self, surface: Surface) -> bool:
        return self.put(surfaces, values(surfaces, surface) | {"again": False})

    def _plainly(self, surface_id: str, row: Mapping[str, Any], *where: ColumnElement[bool]) -> bool:
        """Replace it where nobody wished anything meanwhile, as is mostly so: one statement then."""
        return self.count(surfaces.update().where(surfaces.c.id == surface_id, *where).values(row)) == 1

    def _locked(self, surface_id: str) -> RowMapping:
        query = select(surfaces).where(surfaces.c.id == surface_id).with_for_update()
        return self.connection.execute(query).mappings().one()

    def _change(self, surface_id: str, row: Mapping[str, Any]) -> None:
        self.connection.execute(surfaces.update().where(surfaces.c.id == surface_id).values(row))


@cache
def _wish(dialect: str, *, worded: bool) -> Insert | PostgresInsert:
    """The statement of `want`. Made once: it is the one that runs most."""
    insert = sqlite.insert(surfaces) if dialect == "sqlite" else postgresql.insert(surfaces)
    new, old = insert.excluded, surfaces.c
    stays = or_(old.attempts > 0, new.due_at.is_(None), old.due_at <= new.due_at)
    change: dict[str, ColumnElement[Any]] = {
        "due_at": case((old.due_at.is_(None), new.due_at), (stays, old.due_at), else_=new.due_at),
        "urgent": case((old.due_at.is_(None), new.urgent), else_=or_(old.urgent, new.urgent)),
        "again": old.claimed_until.is_not(None),
    }
    if worded:
        change["wanted"] = new.wanted
    return insert.on_conflict_do_update(index_elements=[old.id], set_=change)


def _merged(surface: Surface, old: RowMapping, *, again: bool) -> dict[str, Any]:
    """`surface` as a row, with the wishes of `old` where it was wanted again."""
    if again:
        wish = read(Surface, old)
        due_at = surface.due_at if surface.attempts else _earlier(wish.due_at, surface.due_at)
        surface = replace(surface, wanted=wish.wanted, urgent=wish.urgent, due_at=due_at)
    return values(surfaces, surface)


def _earlier(one: datetime | None, other: datetime | None) -> datetime | None:
    return min((time for time in (one, other) if time is not None), default=None)
