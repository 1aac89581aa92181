"""The tables of `envs/export.toml` as pydantic reads them. `loader` turns them into the values of `policy`."""

from __future__ import annotations

import math
from datetime import timedelta
from typing import Annotated, Any, Literal, Self

from pydantic import AfterValidator, Field, PlainValidator, Strict, WrapValidator, model_validator
from pydantic_core.core_schema import ValidatorFunctionWrapHandler

from bot.domain.exports.names import parse_table
from bot.domain.exports.policy import ColumnRule, Fixed, MaskName, RowSelection
from bot.domain.exports.schema import TableName
from bot.domain.policy import (
    Cron,
    Flag,
    Globs,
    Positive,
    Table,
    Text,
    Word,
    Wrong,
    Zone,
    choice,
    like,
    listed,
    whole,
)
from bot.domain.suggest import hint

MOST_ROWS = 10**12
MOST_WITHIN = 10**9
NEEDS_WITHIN: tuple[MaskName, ...] = ("number", "date_shift")
"""Masks with `within`."""


def _table(value: Any) -> TableName:
    if isinstance(value, TableName):
        return value
    found = parse_table(value) if isinstance(value, str) else None
    if found is None:
        raise Wrong(
            'must be a table with its schema, such as "public.customers" or \'"odd.schema"."odd table"\''
        )
    return found


def _column(value: str) -> str:
    if "\0" in value or not 0 < len(value.encode()) <= 63:
        raise Wrong("must be the name of a column")
    return value


def _predicate(value: str) -> str:
    from bot.domain.exports.predicates import problem_of  # with it comes the parser

    if wrong := problem_of(value):
        raise Wrong(wrong)
    return value


def _percent(value: Any) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 < value <= 100:
        raise Wrong("must be a number above 0, and at most 100")
    return float(value)


def _fixed(value: Any) -> Fixed:
    if not isinstance(value, str | int | float | bool) or (
        isinstance(value, float) and not math.isfinite(value)
    ):
        raise Wrong("must be a string, a number, true or false")
    if isinstance(value, str) and ("\0" in value or len(value) > 10_000):
        raise Wrong("must be a string of at most 10000 characters, without NUL")
    return value


def _rule(value: Any, inner: ValidatorFunctionWrapHandler) -> ColumnRule:
    """A word or a table. A mask's name alone is refused, so that a column called `text` with a rule of that name is not
    taken for something else."""
    if isinstance(value, ColumnRule):
        return value
    if value in ("keep", "null"):
        return ColumnRule(value)
    if not isinstance(value, dict):
        meant = f'; did you mean `{{ mask = "{value}" }}`?' if value in MASKS else ""
        if not meant and isinstance(value, str):
            meant = hint(value, ("keep", "null"))
        raise Wrong(f'must be "keep", "null", {{ mask = "email" }} or {{ fixed = "…" }}{meant}')
    found: _Rule = inner(value)
    return found.rule


MASKS: tuple[MaskName, ...] = (
    "email",
    "name",
    "phone",
    "address",
    "text",
    "number",
    "date_shift",
    "token",
    "digest",
)

_TableName = Annotated[TableName, PlainValidator(_table)]
_ColumnName = Annotated[str, Strict(), AfterValidator(_column)]
_Columns = Annotated[tuple[_ColumnName, ...], listed("columns", 1)]
_Environment = Annotated[Text, like(r"[a-z][a-z0-9-]{0,39}", 'an environment such as "prod"')]
_Most = Annotated[int, whole(1, MOST_ROWS)]
_Rows = Annotated[RowSelection, choice(RowSelection)]


class _Rule(Table):
    mask: Annotated[MaskName, choice(MaskName)] | None = None
    label: Word = ""
    within: Annotated[int, whole(1, MOST_WITHIN)] = 0
    fixed: Annotated[Fixed | None, PlainValidator(_fixed)] = None

    @model_validator(mode="after")
    def _one_kind(self) -> Self:
        if len(self.model_fields_set & {"mask", "fixed"}) != 1:
            raise Wrong("needs exactly one of `mask` and `fixed`")
        if self.label and self.mask is None:
            raise Wrong("has `label`, which only works with `mask`")
        if self.within and self.mask not in NEEDS_WITHIN:
            raise Wrong('has `within`, which only works with the masks "number" and "date_shift"')
        if not self.within and self.mask in NEEDS_WITHIN:
            unit = "the largest distance" if self.mask == "number" else "days"
            raise Wrong(f'has no `within` ({unit}), such as `{{ mask = "{self.mask}", within = 30 }}`')
        return self

    @property
    def rule(self) -> ColumnRule:
        kind: Literal["mask", "fixed"] = "mask" if self.mask else "fixed"
        return ColumnRule(kind, self.mask, self.label, self.within, self.fixed)


class RootTable(Table):
    """`[[export.<environment>.roots]]`."""

    table: _TableName
    where: Annotated[Text, AfterValidator(_predicate)] = ""
    percent: Annotated[float, PlainValidator(_percent)] = 100.0
    seed: Text = ""
    children: Flag = True

    @model_validator(mode="after")
    def _chooses(self) -> Self:
        if self.seed and self.percent == 100.0:
            raise Wrong("has `seed`, which only works with a `percent` below 100")
        return self


class EdgeTable(Table):
    """`[[export.<environment>.edges]]`."""

    child: _TableName
    columns: _Columns
    most: _Most = 0


class KeyTable(Table):
    """`[[export.<environment>.keys]]`."""

    child: _TableName
    columns: _Columns
    parent: _TableName
    parent_columns: _Columns

    @model_validator(mode="after")
    def _pairs(self) -> Self:
        if len(self.columns) != len(self.parent_columns):
            raise Wrong(
                "has different numbers of `columns` and `parent_columns`, which correspond by position"
            )
        return self


class LimitsTable(Table):
    """`limits`."""

    connections: Annotated[int, whole(1, 32)] = 2
    statement: Positive = timedelta(minutes=15)
    total: Positive = timedelta(hours=4)
    lag: Positive = timedelta(seconds=30)
    sessions: Annotated[int, whole(1, 100_000)] = 100


class RetentionTable(Table):
    """`keep`."""

    count: Annotated[int, whole(1, 1000)] = 3
    age: Positive = timedelta(days=30)


class TableRules(Table):
    """`[export.<environment>.tables."<schema>.<table>"]`."""

    rows: _Rows = "closure"
    most: _Most = 0
    columns: dict[str, Annotated[_Rule, WrapValidator(_rule)]] = Field(default_factory=dict)

    @property
    def rules(self) -> dict[str, ColumnRule]:
        return {name: one for name, one in self.columns.items() if isinstance(one, ColumnRule)}


class ExportTable(Table):
    """`[export.<environment>]`."""

    source: Annotated[_Environment, Field(alias="from")]
    schedule: Cron = ""
    time_zone: Zone = "UTC"
    limits: LimitsTable = Field(default_factory=LimitsTable)
    retention: Annotated[RetentionTable, Field(alias="keep")] = Field(default_factory=RetentionTable)
    roots: Annotated[tuple[RootTable, ...], listed("tables, each `[[….roots]]`")] = ()
    edges: Annotated[tuple[EdgeTable, ...], listed("tables, each `[[….edges]]`")] = ()
    keys: Annotated[tuple[KeyTable, ...], listed("tables, each `[[….keys]]`")] = ()
    tables: dict[str, TableRules] = Field(default_factory=dict)


class DataTable(Table):
    """`[data.<environment>]`."""

    export: _Environment
    stack: Word
    output: Word
    tables: Annotated[tuple[_TableName, ...], listed("tables")] = ()


class File(Table):
    """The top level."""

    migrations: Globs = ()
    export: dict[str, ExportTable] = Field(default_factory=dict)
    data: dict[str, DataTable] = Field(default_factory=dict)
