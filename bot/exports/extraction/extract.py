"""Extract: from a selection of rows to files with a manifest."""

from __future__ import annotations

from concurrent.futures import FIRST_EXCEPTION, ThreadPoolExecutor, wait
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import UTC, datetime

from bot.domain.exports import ForeignKey, Manifest, Preview, TableFiles, require_valid
from bot.domain.ports.exports import ExportControl, ExportJob
from bot.errors import UserError
from bot.exports.extraction.collisions import CollisionCheck, checks_of
from bot.exports.extraction.parts import TableParts, Writers
from bot.exports.extraction.rows import Masker, row_masker
from bot.exports.extraction.sequences import read_sequences
from bot.exports.files import Files
from bot.exports.files.sealed import SCHEMA
from bot.exports.masks import MaskKey, compile_rule
from bot.exports.masks.digest import key_id
from bot.exports.pace import Pace
from bot.exports.postgres_tools import ToolFailed, run_tool
from bot.exports.source import SelectedTable, Selection, Source, select_rows

_BLOCK = 1 << 18
"""Bytes of rows that are masked at once."""


@dataclass(frozen=True)
class _Extraction:
    """What the tables of one extraction share."""

    job: ExportJob
    source: Source
    writers: Writers
    directory: str
    key: MaskKey
    pace: Pace

    def table(self, selected: SelectedTable) -> TableFiles:
        """Write one table. Raises UserError if not exactly the selected rows came."""
        table = selected.table
        columns = tuple(column.name for column in table.columns if not column.generated)
        parents = tuple(sorted({one.parent for one in self._references(selected)}))
        if not selected.rows:
            return TableFiles(table.name, columns, 0, (), parents)
        masker, checks = self._rules(selected, columns)
        parts = TableParts(self.writers, self.directory, table.name)
        rows = 0
        try:
            with self.source.connection() as connection, connection.cursor() as cursor:
                for query in selected.copies(columns):
                    self.source.wait(self.pace.waits)
                    block = bytearray()
                    with cursor.copy(query) as copy:
                        for row in copy:
                            block += row
                            if len(block) >= _BLOCK:
                                rows += self._add(str(table.name), bytes(block), masker, checks, parts)
                                block.clear()
                                self.source.check()
                    if block:
                        rows += self._add(str(table.name), bytes(block), masker, checks, parts)
        finally:
            for check in checks:
                check.close()
        if rows != selected.rows:
            raise UserError(
                f"`{table.name}` has {selected.rows:,} selected rows, but {rows:,} were read.",
                next_step="Run the export again; nothing was replaced.",
            )
        return TableFiles(table.name, columns, rows, parts.finish(), parents)

    def _references(self, selected: SelectedTable) -> list[ForeignKey]:
        keys = self.source.schema.foreign_keys
        return [one for one in keys if one.child == selected.table.name and not one.virtual]

    def _rules(
        self, selected: SelectedTable, columns: tuple[str, ...]
    ) -> tuple[Masker | None, list[CollisionCheck]]:
        table = selected.table
        rules = self.job.policy.tables[table.name].columns
        # A column without a rule is a KeyError: nothing leaves that nobody spoke for.
        masks = [
            compile_rule(rules[column.name], column, self.key)
            for column in table.columns
            if not column.generated
        ]
        masked = frozenset(name for name, rule in rules.items() if rule.kind == "mask")
        return row_masker(masks), checks_of(table, columns, masked)

    def _add(
        self, name: str, block: bytes, masker: Masker | None, checks: list[CollisionCheck], parts: TableParts
    ) -> int:
        masked = masker(block) if masker else block
        for check in checks:
            check.add(masked)
        rows = masked.count(b"\n")
        parts.add(masked, rows)
        self.pace.add(name, rows, len(masked))
        return rows


def extract(
    job: ExportJob, preview: Preview, source: Source, files: Files, control: ExportControl
) -> Manifest:
    """Write the files of the policy's rows and, last, the manifest. What an earlier attempt left unfinished is deleted first;
    a manifest that it wrote is the result.

    Raises UserError if the schema or the policy is not the preview's, before it reads a row, and as `select_rows`.
    """
    directory = files.directory(job.repository, job.environment, job.export)
    if (found := files.read_manifest(directory)) is not None:
        return found
    _refuse_changes(job, preview, source)
    require_valid(job.policy, source.schema)
    selection = select_rows(source, job.policy, control)
    files.delete(directory)
    schema_sha256 = _dump_schema(source, files, directory)
    pace = Pace(control, "extracting", selection.rows)
    with ExitStack() as stack:
        writers = Writers(files)
        stack.callback(writers.close)
        work = _Extraction(job, source, writers, directory, MaskKey.of(job.secrets.masking_key), pace)
        tables = _all_tables(work, selection, job.policy.limits.connections)
        with source.connection() as connection:
            sequences = read_sequences(connection)
    pace.end()
    manifest = Manifest(
        export=job.export,
        repository=job.repository,
        environment=job.environment,
        source=job.policy.source,
        tables=tables,
        sequences=sequences,
        schema_key=SCHEMA,
        schema_sha256=schema_sha256,
        schema_digest=source.schema.digest,
        policy_digest=job.policy.digest,
        key_id=key_id(job.secrets.masking_key),
        server_version=source.schema.version,
        snapshot_at=source.snapshot_at,
        written_at=datetime.now(UTC),
        notes=preview.notes,
    )
    files.write_manifest(directory, manifest)
    return manifest


def _all_tables(work: _Extraction, selection: Selection, connections: int) -> tuple[TableFiles, ...]:
    """Write the tables, the largest first, as many at once as the source may be asked for."""
    ordered = sorted(selection.tables, key=lambda one: -one.rows)
    with ThreadPoolExecutor(max(1, connections), thread_name_prefix="export-table") as pool:
        made = {pool.submit(work.table, one): one for one in ordered}
        done, waiting = wait(made, return_when=FIRST_EXCEPTION)
        for future in waiting:
            future.cancel()
        for future in done:
            future.result()
    return tuple(sorted((future.result() for future in made), key=lambda one: one.table))


def _refuse_changes(job: ExportJob, preview: Preview, source: Source) -> None:
    for seen, now, what in (
        (preview.schema_digest, source.schema.digest, f"{job.policy.source}'s schema"),
        (preview.policy_digest, job.policy.digest, "the policy"),
    ):
        if seen != now:
            raise UserError(
                f"Since the preview, {what} has changed.",
                next_step=f"`/export {job.environment} now` begins again, with a new preview.",
            )


def _dump_schema(source: Source, files: Files, directory: str) -> str:
    arguments = ["--schema-only", "--format=custom", "--no-owner", f"--snapshot={source.snapshot}"]
    try:
        dump = run_tool("pg_dump", source.schema.version, source.url, arguments)
    except ToolFailed as error:
        raise UserError(
            f"The schema cannot be read: {error}",
            next_step="Grant the export's user what pg_dump needs: SELECT on all tables and sequences.",
        ) from error
    return files.put(directory + SCHEMA, dump)[1]
