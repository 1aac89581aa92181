"""Tables derived from the domain's frozen dataclasses: one column a field, nothing listed twice.

A text, number, flag or time becomes a column of that type; a Target its key; a dict, tuple or nested dataclass JSON.
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
"""Counts rows in the order of their arrival. SQLite counts by itself only for INTEGER primary keys."""


class _Kept(TypeDecorator[Any]):
    """A value that is kept in another form: `down` on the way to the database, `up` on the way back. None stays."""

    def process_bind_param(self, value: Any, _dialect: Dialect) -> Any:
        return None if value is None else self.down(value)

    def process_result_value(self, value: Any, _dialect: Dialect) -> Any:
        return None if value is None else self.up(value)

    def down(self, value: Any) -> Any:
        raise NotImplementedError

    def up(self, value: Any) -> Any:
        raise NotImplementedError


class Utc(_Kept):
    """An aware time, kept in UTC and given back aware on both databases. A naive one is a ValueError."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def down(self, value: datetime) -> datetime:
        if value.tzinfo is None:
            raise ValueError(f"a time without a time zone: {value.isoformat()}")
        return value.astimezone(UTC)

    def up(self, value: datetime) -> datetime:
        return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)


class TargetKey(_Kept):
    """A target, kept as its key."""

    impl = Text
    cache_ok = True

    def down(self, value: Target) -> str:
        return value.key

    def up(self, value: str) -> Target:
        return Target.from_key(value)


class Nested(_Kept):
    """A flat dataclass, kept as JSON. A field that a row does not know yet has its default; an unknown one is left."""

    impl = JSON
    cache_ok = True

    def __init__(self, of: type[Any]) -> None:
        super().__init__()
        self.of = of

    def down(self, value: Any) -> dict[str, Any]:
        return asdict(value)

    def up(self, value: dict[str, Any]) -> Any:
        return read(self.of, value)


class Items(_Kept):
    """A tuple of plain values, kept as a JSON list."""

    impl = JSON
    cache_ok = True

    def down(self, value: Sequence[Any]) -> list[Any]:
        return list(value)

    def up(self, value: list[Any]) -> tuple[Any, ...]:
        return tuple(value)


class Sealed(TypeDecorator[bytes]):
    """Bytes that a Vault sealed. Marks the columns that `bot.storage.reseal` seals anew."""

    impl = LargeBinary
    cache_ok = True


def columns(of: type[Any], *, key: Sequence[str] = (), without: Sequence[str] = ()) -> list[Column[Any]]:
    """A column for each field of a dataclass; `key` names those of the primary key."""
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
    if origin is dict:
        return JSON()
    if origin is tuple:
        return Items()
    if is_dataclass(origin):
        return Nested(typing.cast("type[Any]", origin))
    raise TypeError(f"no column for {hint}")


def values(table: Table, thing: Any) -> dict[str, Any]:
    """A dataclass as a row: the columns that are its fields, and `repository` where only its target knows it."""
    row = {column.name: getattr(thing, column.name) for column in table.c if hasattr(thing, column.name)}
    if "repository" in table.c and "repository" not in row:
        row["repository"] = thing.target.repository
    return row


def read(of: type[T], row: RowMapping | Mapping[Any, Any]) -> T:
    """A row as a dataclass; columns that are no fields are left."""
    return of(
        **{field.name: row[field.name] for field in fields(typing.cast("Any", of)) if field.name in row}
    )
