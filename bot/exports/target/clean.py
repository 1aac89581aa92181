"""Remove what exports left: a half-loaded database, and files that nobody needs any more."""

from __future__ import annotations

from bot.domain.ports.exports import ExportJob
from bot.exports.files import Files
from bot.exports.target.marker import read_marker
from bot.exports.target.next_database import drop, exists
from bot.exports.target.server import Server


def clean(job: ExportJob, keep: frozenset[str], files: Files) -> None:
    """Drop this environment's next database, and delete the files of all its exports but `keep`. The previous database stays
    until the next swap."""
    for export in sorted(files.exports(job.repository, job.environment) - keep):
        files.delete(files.directory(job.repository, job.environment, export))
    if not job.secrets.target:
        return
    server = Server(job.secrets.target)
    with server.maintenance() as connection:
        if not exists(connection, server.next):
            return
        with server.connect(server.next) as inside:
            found = read_marker(inside)
        if found is not None and found.is_of(job):
            drop(connection, server.next)
