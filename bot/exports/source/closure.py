"""The closure of an export: from its roots to all rows that they need, by inclusion, to a fixpoint."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from itertools import islice

from psycopg.sql import SQL, Composed

from bot.domain.exports import INTEGERS, ExportPhase, ExportPolicy, Progress, Table, TableName
from bot.domain.ports.exports import ExportControl
from bot.errors import UserError
from bot.exports.source.graph import Step, components
from bot.exports.source.keysets import BATCH, Key, Keyset
from bot.exports.source.plan import ClosurePlan, is_whole, plan_closure
from bot.exports.source.queries import Queries
from bot.exports.source.roots import root_rows
from bot.exports.source.selection import SelectedTable, Selection, count_query
from bot.exports.source.session import Source

_SCAN_BATCH = 500_000
"""Keys a query where no index helps, so that each reads a whole table: fewer of them."""


def select_rows(
    source: Source, policy: ExportPolicy, control: ExportControl, phase: ExportPhase = "extracting"
) -> Selection:
    """Return the rows that the policy leads to: roots, parents of every included row through declared and virtual keys, and
    children of root rows and along the policy's edges.

    Raises UserError (a part of a table without a key, a table above its `most`, a reference to a table that stays
    empty), TransientError and Cancelled.
    """
    plan = plan_closure(source.schema, policy)
    with source.connection() as connection:
        queries = Queries.of(connection)
    closure = _Closure(source, policy, plan, queries, lambda progress: control.progress(phase, progress))
    closure.choose_roots()
    for group in components(plan.steps):
        closure.follow(group)
    closure.refuse_forbidden()
    return closure.selection()


class _Closure:
    """The state of one closure: a keyset a table, and for each step how far it has followed its source's."""

    def __init__(
        self,
        source: Source,
        policy: ExportPolicy,
        plan: ClosurePlan,
        queries: Queries,
        report: Callable[[Progress], None],
    ) -> None:
        self._source = source
        self._policy = policy
        self._plan = plan
        self._queries = queries
        self._report = report
        self._tables = {table.name: table for table in source.schema.tables}
        self._sets = source.keysets
        self._chosen: dict[TableName, Keyset] = {}
        self._roots: dict[TableName, Keyset] = {}
        self._places: dict[Step, int] = {}
        self._why: dict[TableName, list[str]] = {name: [why] for name, why in plan.whole.items()}
        self._reported = 0.0

    def choose_roots(self) -> None:
        for root in self._policy.roots:
            table = self._tables[root.table]
            into = [] if root.table in self._plan.whole else [self._set(self._chosen, table)]
            if root.children and root.table not in self._plan.whole_roots:
                into.append(self._set(self._roots, table))
            if into and not is_whole(root):
                self._collect(root_rows(root, table), table, into, "root")

    def follow(self, steps: Sequence[Step]) -> None:
        """Follow these steps until none finds a row to go on from."""
        done: set[Step] = set()
        going = True
        while going:
            going = False
            for step in steps:
                for batch in self._frontier(step, done):
                    going = True
                    self._take(step, batch)

    def _take(self, step: Step, batch: Sequence[Key] | None) -> None:
        """Add the rows that one batch leads to."""
        target = self._tables[step.target]
        into = self._set(self._chosen, target)
        settled = _settled(step)
        known = settled is not None and self._places.get(settled, 0) == into.last
        self._collect(self._query(step, batch), target, [into], step.why)
        if settled is not None and known:
            self._places[settled] = into.last

    def refuse_forbidden(self) -> None:
        """Raise UserError if an included row refers to a table that stays empty: the export could not be loaded."""
        for step in self._plan.forbidden:
            for batch in self._frontier(step, set()):
                query = self._queries.orphaned(step.key, self._tables[step.source], batch)
                if self._only(query) == "true":
                    columns = ", ".join(step.key.columns)
                    raise UserError(
                        f'Rows of {step.source} refer through {columns} to {step.target}, which has rows = "none".',
                        next_step=f'Set {columns} of {step.source} to "null", or choose other rows for {step.target}.',
                    )

    def selection(self) -> Selection:
        return Selection(tuple(self._selected(table) for table in self._source.schema.tables))

    def _selected(self, table: Table) -> SelectedTable:
        whole, keys = table.name in self._plan.whole, self._chosen.get(table.name)
        rows = int(self._only(count_query(table))) if whole else keys.last if keys else 0
        self._refuse_more(table, rows)
        return SelectedTable(
            table,
            whole,
            rows,
            ", ".join(self._why.get(table.name, [])),
            self._queries,
            None if whole else keys,
        )

    def _frontier(self, step: Step, done: set[Step]) -> Iterator[Sequence[Key] | None]:
        """The batches of the step's source that it has not followed yet; None for a whole table, once."""
        if step.source in self._plan.whole and not (step.from_roots and step.source in self._roots):
            if step not in done:
                done.add(step)
                yield None
            return
        keys = (self._roots if step.from_roots else self._chosen).get(step.source)
        while keys is not None and self._places.get(step, 0) < keys.last:
            self._places[step], batch = keys.after(self._places.get(step, 0), self._size(step))
            yield batch

    def _size(self, step: Step) -> int:
        indexed = step.kind == "parents" or self._queries.indexed(step.target, step.key.columns)
        return BATCH if indexed else _SCAN_BATCH

    def _query(self, step: Step, batch: Sequence[Key] | None) -> Composed:
        child, parent = self._tables[step.key.child], self._tables[step.key.parent]
        if step.kind == "parents":
            return self._queries.parents(step.key, child, parent, batch)
        return self._queries.children(step.key, child, parent, batch, step.most)

    def _collect(self, query: Composed, table: Table, into: Sequence[Keyset], why: str) -> None:
        known = into[0].last
        rows = self._read(query)
        while part := list(islice(rows, BATCH)):
            for keyset in into:
                keyset.add(part)
            self._refuse_more(table, into[0].last)
            self._tell(table)
        if into[0].last > known and why not in self._why.setdefault(table.name, []):
            self._why[table.name].append(why)

    def _read(self, query: Composed) -> Iterator[Key]:
        """Rows of a query as text, streamed."""
        self._source.wait(lambda why: self._report(Progress(waiting=why)))
        with (
            self._source.connection() as connection,
            connection.cursor() as cursor,
            cursor.copy(SQL("COPY ({}) TO STDOUT").format(query)) as copy,
        ):
            yield from copy.rows()

    def _only(self, query: Composed) -> str:
        """The one value of a query."""
        ((value,),) = self._read(query)
        return value

    def _set(self, sets: dict[TableName, Keyset], table: Table) -> Keyset:
        if table.name not in sets:
            kinds = [column.base for name in table.key if (column := table.column(name))]
            sets[table.name] = self._sets.new([kind in INTEGERS for kind in kinds])
        return sets[table.name]

    def _refuse_more(self, table: Table, rows: int) -> None:
        rule = self._policy.tables.get(table.name)
        if rule and rule.most and rows > rule.most:
            raise UserError(
                f"More than {rule.most:,} rows of {table.name} are selected, which is its limit.",
                next_step="Choose fewer roots, cap an edge with most, or raise the table's most in envs/export.toml.",
            )

    def _tell(self, table: Table) -> None:
        if time.monotonic() - self._reported >= 1:
            self._reported = time.monotonic()
            self._report(
                Progress(rows=sum(keys.last for keys in self._chosen.values()), table=str(table.name))
            )


def _settled(step: Step) -> Step | None:
    """The step that rows of this one need no more: children came from their only parent, and ancestors come all at once."""
    if step.kind == "parents":
        return step if step.source == step.target else None
    return None if step.key.virtual else Step("parents", step.key)
