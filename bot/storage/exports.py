"""Store exports, their decisions and the schedules' clocks."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any, TypeVar

from pydantic import TypeAdapter
from sqlalchemy import Column, select

from bot.domain.exports import Export, ExportDecision, ExportPhase, Manifest, Preview
from bot.storage.columns import values
from bot.storage.rows import Rows
from bot.storage.tables import export_decisions, export_schedules, exports

T = TypeVar("T")
_PREVIEW: TypeAdapter[Preview] = TypeAdapter(Preview)
_MANIFEST: TypeAdapter[Manifest] = TypeAdapter(Manifest)


class ExportRows(Rows):
    """Implements bot.domain.ports.records.Exports."""

    def lock(self, repository: str, environment: str) -> None:
        self.lock_names([f"export:{repository}:{environment}"])

    def add(self, export: Export) -> bool:
        return self.upsert(exports, values(exports, export))

    def get(self, export_id: str) -> Export | None:
        return self.one(Export, select(exports).where(exports.c.id == export_id))

    def update(self, export_id: str, **changes: Any) -> None:
        self.connection.execute(exports.update().where(exports.c.id == export_id).values(changes))

    def move(self, export_id: str, source: Sequence[ExportPhase], phase: ExportPhase, **changes: Any) -> bool:
        matching = exports.update().where(exports.c.id == export_id, exports.c.phase.in_(source))
        return self.count(matching.values(phase=phase, **changes)) == 1

    def of_environment(self, repository: str, environment: str, limit: int) -> list[Export]:
        query = select(exports).where(
            exports.c.repository == repository, exports.c.environment == environment
        )
        return self.many(Export, query.order_by(exports.c.seq.desc()).limit(limit))

    def active(self, repository: str = "", environment: str = "") -> list[Export]:
        query = select(exports).where(exports.c.phase != "finished")
        if repository:
            query = query.where(exports.c.repository == repository, exports.c.environment == environment)
        return self.many(Export, query.order_by(exports.c.seq))

    def approved(self, repository: str, environment: str) -> Export | None:
        query = select(exports).where(
            exports.c.repository == repository,
            exports.c.environment == environment,
            exports.c.kind == "export",
            exports.c.approved.is_(True),
        )
        return self.one(Export, query.order_by(exports.c.seq.desc()))

    def preview(self, export_id: str) -> Preview | None:
        return self._json(export_id, exports.c.preview, _PREVIEW)

    def keep_preview(self, export_id: str, preview: Preview) -> None:
        self.update(export_id, preview=_PREVIEW.dump_python(preview, mode="json"))

    def manifest(self, export_id: str) -> Manifest | None:
        return self._json(export_id, exports.c.manifest, _MANIFEST)

    def keep_manifest(self, export_id: str, manifest: Manifest) -> None:
        self.update(export_id, manifest=_MANIFEST.dump_python(manifest, mode="json"))

    def decide(self, decision: ExportDecision) -> bool:
        return self.upsert(export_decisions, values(export_decisions, decision))

    def decisions(self, export_id: str) -> list[ExportDecision]:
        query = select(export_decisions).where(export_decisions.c.export == export_id)
        return self.many(ExportDecision, query.order_by(export_decisions.c.seq))

    def ticked_at(self, repository: str, environment: str, schedule: str) -> datetime | None:
        query = select(export_schedules.c.ticked_at).where(
            export_schedules.c.repository == repository,
            export_schedules.c.environment == environment,
            export_schedules.c.schedule == schedule,
        )
        found: datetime | None = self.connection.execute(query).scalar()
        return found

    def tick(self, repository: str, environment: str, schedule: str, at: datetime) -> None:
        self.connection.execute(
            export_schedules.delete().where(
                export_schedules.c.repository == repository, export_schedules.c.environment == environment
            )
        )
        self.connection.execute(
            export_schedules.insert().values(
                repository=repository, environment=environment, schedule=schedule, ticked_at=at
            )
        )

    def _json(self, export_id: str, column: Column[Any], adapter: TypeAdapter[T]) -> T | None:
        found = self.connection.execute(select(column).where(exports.c.id == export_id)).scalar()
        return None if found is None else adapter.validate_python(found)
