"""Which exports' files are kept."""

from __future__ import annotations

import structlog

from bot.domain.ports.exports import ExportJob
from bot.errors import TransientError, UserError
from bot.services.context import Context
from bot.services.exports.job import exporter_of

log = structlog.get_logger()

_LOOKED_AT = 500


def clean_after(context: Context, job: ExportJob) -> None:
    """Remove what an export that ended left, and the files that the policy's `keep` does not keep. The live export's files and
    those of the one before always stay. What fails is left to the next time."""
    try:
        exporter_of(context).clean(job, _kept(context, job))
    except (UserError, TransientError) as error:
        log.warning("cleaning up after an export is postponed", export=job.export, error=str(error)[:300])


def _kept(context: Context, job: ExportJob) -> frozenset[str]:
    retention, now = job.policy.retention, context.now()
    with context.store.read() as tables:
        exports = tables.exports.of_environment(job.repository, job.environment, _LOOKED_AT)
    active = [one.id for one in exports if one.active]
    done = [one for one in exports if one.kind == "export" and one.outcome == "done"]
    young = [one.id for one in done if one.finished_at and now - one.finished_at <= retention.age]
    return frozenset((*active, *young[: retention.count], *(one.id for one in done[:2])))
