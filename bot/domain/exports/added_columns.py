"""Columns that a pull request's migrations add, as values."""

from __future__ import annotations

from dataclasses import dataclass

from bot.domain.exports.schema import Column, TableName


@dataclass(frozen=True)
class MigrationFile:
    """A file of a pull request. before: its text on the base branch, "" if it is new."""

    path: str
    text: str
    before: str = ""


@dataclass(frozen=True)
class AddedColumn:
    """A column that a migration leaves. column: None for a table whose columns are those of another that was renamed."""

    table: TableName
    column: Column | None
    path: str


@dataclass(frozen=True)
class UnreadStatement:
    """A statement that may add columns and cannot be read. line: from 1. text: its beginning."""

    path: str
    line: int
    text: str


@dataclass(frozen=True)
class Migrations:
    """What a pull request's migrations add, without what they drop again."""

    added: tuple[AddedColumn, ...] = ()
    unread: tuple[UnreadStatement, ...] = ()
