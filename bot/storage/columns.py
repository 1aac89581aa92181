"""Derive table columns from the domain's frozen dataclasses, one column per field.

Strings, integers, booleans and times become columns of that type, a Target its key; dicts, tuples and nested
dataclasses become JSON.
"""

from __future__ import annotations

import types
import typing
from collections.abc import Mapping, Sequence
from dataclasses import asdict, fields, is_dataclass
from datetime import UTC, datetime
from typing import Any, Literal, TypeVar, Union, get_args, get_origin

from sqlalchemy import JSON, BigInteger, Boolean, Column, DateTime, Integer, LargeBinary, Table, Text
from sqlalchemy.engine import Dialect, RowMapping
from sqlalchemy.types import TypeDecorator, TypeEngine

from bot.domain.target import Target

T = TypeVar("T")

Serial = BigInteger().with_variant(Integer, "sqlite")
"""An autoincrement primary key. SQLite increments only INTEGER primary keys."""


class _Converted(TypeDecorator[Any]):
    """A value that the database stores in another form. None is NULL."""

    def process_bind_param(self, value: Any, _dialect: Dialect) -> Any:
        return None if value is None else self.to_database(value)

    def process_result_value(self, value: Any, _dialect: Dialect) -> Any:
        return None if value is None else self.from_database(value)

    def to_database(self, value: Any) -> Any:
        raise NotImplementedError

    def from_database(self, value: Any) -> Any:
        raise NotImplementedError


class Utc(_Converted):
    """An aware time, stored in UTC and returned aware by both databases. Raises ValueError for a naive one."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def to_database(self, value: datetime) -> datetime:
        if value.tzinfo is None:
            raise ValueError(f"a time without a time zone: {value.isoformat()}")
        return value.astimezone(UTC)

    def from_database(self, value: datetime) -> datetime:
        return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)


class TargetKey(_Converted):
    """A target, stored as its key."""

    impl = Text
    cache_ok = True

    def to_database(self, value: Target) -> str:
        return value.key

    def from_database(self, value: str) -> Target:
        return Target.from_key(value)


class Nested(_Converted):
    """A flat dataclass, stored as JSON. Missing fields get their defaults; unknown ones are ignored."""

    impl = JSON
    cache_ok = True

    def __init__(self, of: type[Any]) -> None:
        super().__init__()
        self.of = of

    def to_database(self, value: Any) -> dict[str, Any]:
        return asdict(value)

    def from_database(self, value: dict[str, Any]) -> Any:
        return read(self.of, value)


class Items(_Converted):
    """A tuple of plain values, stored as a JSON list."""

    impl = JSON
    cache_ok = True

    def to_database(self, value: Sequence[Any]) -> list[Any]:
        return list(value)

    def from_database(self, value: list[Any]) -> tuple[Any, ...]:
        return tuple(value)


class Sealed(TypeDecorator[bytes]):
    """Bytes encrypted by a Vault. Marks the columns that `bot.storage.reseal` encrypts again."""

    impl = LargeBinary
    cache_ok = True


def columns(of: type[Any], *, key: Sequence[str] = (), without: Sequence[str] = ()) -> list[Column[Any]]:
    """Return a column for each field of a dataclass. key: fields of the primary key. without: fields to leave out."""
    hints = typing.get_type_hints(of)
    names = [field.name for field in fields(of) if field.name not in without]
    return [_column(name, hints[name], name in key) for name in names]


def _column(name: str, hint: Any, primary: bool) -> Column[Any]:
    optional = get_origin(hint) in (Union, types.UnionType) and type(None) in get_args(hint)
    if optional:
        (hint,) = [part for part in get_args(hint) if part is not type(None)]
    return Column(name, _type(hint), primary_key=primary, nullable=optional, autoincrement=False)


def _type(hint: Any) -> TypeEngine[Any]:
    plain: dict[Any, TypeEngine[Any]] = {
        str: Text(),
        bool: Boolean(),
        int: BigInteger(),
        datetime: Utc(),
        Target: TargetKey(),
    }
    if hint in plain:
        return plain[hint]
    origin = get_origin(hint) or hint
    if origin is Literal:
        return Text()
    if origin is dict or typing.is_typeddict(origin):
        return JSON()
    if origin is tuple:
        return Items()
    if is_dataclass(origin):
        return Nested(typing.cast("type[Any]", origin))
    raise TypeError(f"no column for {hint}")


def values(table: Table, thing: Any) -> dict[str, Any]:
    """Return a dataclass as a row. A `repository` column that is not a field is filled from its target."""
    row = {column.name: getattr(thing, column.name) for column in table.c if hasattr(thing, column.name)}
    if "repository" in table.c and "repository" not in row:
        row["repository"] = thing.target.repository
    return row


def read(of: type[T], row: RowMapping | Mapping[Any, Any]) -> T:
    """Return a row as a dataclass; columns that are not fields are ignored."""
    return of(
        **{field.name: row[field.name] for field in fields(typing.cast("Any", of)) if field.name in row}
    )
