"""The columns that SQL migrations leave behind, read from their text. What cannot be read is said, never passed over.

The text comes from pull requests: nothing of it runs."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from typing import cast

import sqlglot
from sqlglot import Token, TokenType, exp
from sqlglot.errors import SqlglotError

from bot.domain.exports.added_columns import AddedColumn, UnreadStatement
from bot.domain.exports.schema import Column, TableName
from bot.domain.exports.sql_types import column_type

logging.getLogger("sqlglot").setLevel(logging.ERROR)  # its warnings quote the text, which is somebody else's

_HARMLESS_ADDITIONS = ("CONSTRAINT", "CHECK", "UNIQUE", "PRIMARY", "FOREIGN", "EXCLUDE", "GENERATED")
"""Words after ADD that add no column."""
_BETWEEN = ("OR", "REPLACE", "GLOBAL", "LOCAL", "UNLOGGED")
_TEMPORARY = ("TEMP", "TEMPORARY")
_SHOWN = 80
"""Characters of a statement that a report quotes."""


@dataclass
class Tables:
    """The columns so far, while the statements of one file are read. schema: of names without one."""

    path: str
    columns: dict[tuple[TableName, str], AddedColumn] = field(default_factory=dict)
    unread: list[UnreadStatement] = field(default_factory=list)
    schema: str = "public"

    def read(self, text: str) -> None:
        # a client's own commands, such as \set, which end with their line
        text = "\n".join("" if line.lstrip().startswith("\\") else line for line in text.split("\n"))
        try:
            statements = list(_statements(sqlglot.tokenize(text, read="postgres")))
        except (SqlglotError, RecursionError):
            self.unread.append(UnreadStatement(self.path, 1, _short(text)))
            return
        for tokens in statements:
            sql = text[tokens[0].start : tokens[-1].end + 1]
            try:
                read = self._statement([one.text.upper() for one in tokens], tokens, sql)
            except Exception:  # whatever the parser, or we, did not expect of somebody's SQL
                read = False
            if not read:
                self.unread.append(UnreadStatement(self.path, tokens[0].line, _short(sql)))

    def _statement(self, words: list[str], tokens: list[Token], sql: str) -> bool:
        """Return whether it was understood, or adds no column."""
        match words:
            case ["SET", *_] if "SEARCH_PATH" in words[1:3]:
                self.schema = next((_name(one) for one in tokens[3:] if _is_name(one)), self.schema)
                return True
            case ["CREATE", *rest]:
                kind = [word for word in rest[:4] if word not in _BETWEEN]
                if kind[:1] and kind[0] in _TEMPORARY:
                    return True
                return kind[:1] != ["TABLE"] or self._create(sqlglot.parse_one(sql, dialect="postgres"))
            case ["ALTER", "TABLE", *_]:
                return self._alter(sqlglot.parse_one(sql, dialect="postgres"), words)
            case ["DROP", "TABLE", *_]:
                self._drop(sqlglot.parse_one(sql, dialect="postgres"))
                return True
            case ["DO", *_]:
                return "TABLE" not in sql.upper()
            case ["SELECT", *_]:
                return "INTO" not in words
        return True

    def _create(self, statement: exp.Expr) -> bool:
        properties = statement.args.get("properties")
        if properties and properties.find(exp.PartitionedOfProperty):
            return True  # its rows are its parent's
        schema = statement.this
        if not isinstance(statement, exp.Create) or not isinstance(schema, exp.Schema):
            return False
        table = self._table(schema.this)
        for part in schema.expressions:
            if isinstance(part, exp.ColumnDef):
                self._add(table, part)
            elif isinstance(part, exp.LikeProperty):
                return False
        return True

    def _alter(self, statement: exp.Expr, words: list[str]) -> bool:
        if not isinstance(statement, exp.Alter):
            return _adds_nothing(words)
        table = self._table(statement.this)
        to = statement.args.get("options")
        for action in statement.args["actions"]:
            if to:  # RENAME a TO b, without COLUMN
                self._rename_column(table, _name(action.this.this), _name(to[0].this.this))
            else:
                self._action(table, action)
        return True

    def _action(self, table: TableName, action: exp.Expr) -> None:
        match action:
            case exp.ColumnDef():
                self._add(table, action)
            case exp.RenameColumn():
                self._rename_column(table, _column(action.this), _column(action.args["to"]))
            case exp.AlterRename():
                self._rename(table, replace(table, name=_name(action.this.this)))
            case exp.Drop() if action.args.get("kind") == "COLUMN":
                for one in action.args["tables"]:
                    self.columns.pop((table, _column(one)), None)

    def _rename_column(self, table: TableName, old: str, new: str) -> None:
        before = self.columns.pop((table, old), None)
        column = before.column if before else None
        # the type of a column from before is not known here
        self._put(table, replace(column, name=new) if column else Column(new, "", ""))

    def _rename(self, table: TableName, to: TableName) -> None:
        moved = [key for key in self.columns if key[0] == table]
        for key in moved:
            self.columns[to, key[1]] = replace(self.columns.pop(key), table=to)
        self.columns.setdefault((to, ""), AddedColumn(to, None, self.path))

    def _drop(self, statement: exp.Expr) -> None:
        dropped = {self._table(one) for one in statement.args.get("tables") or ()}
        for key in [key for key in self.columns if key[0] in dropped]:
            del self.columns[key]

    def _add(self, table: TableName, column: exp.ColumnDef) -> None:
        self._put(table, column_type(_name(column.this), column))

    def _put(self, table: TableName, column: Column) -> None:
        self.columns[table, column.name] = AddedColumn(table, column, self.path)

    def _table(self, table: exp.Expr) -> TableName:
        schema = table.args.get("db")
        return TableName(_name(schema) if schema else self.schema, _name(table.this))


def _statements(tokens: list[Token]) -> Iterator[list[Token]]:
    statement: list[Token] = []
    for token in tokens:
        if token.token_type is TokenType.SEMICOLON:
            if statement:
                yield statement
            statement = []
        else:
            statement.append(token)
    if statement:
        yield statement


def _adds_nothing(words: list[str]) -> bool:
    """Whether an ALTER TABLE that the parser does not know leaves all columns and names as they are."""
    for word, after in zip(words, [*words[1:], ""], strict=True):
        if word == "ADD" and after not in _HARMLESS_ADDITIONS:
            return False
        if word == "RENAME" and after != "CONSTRAINT":
            return False
        if (word, after) in (("SET", "SCHEMA"), ("INHERIT", after)):
            return False
    return True


def _is_name(token: Token) -> bool:
    return token.token_type in (TokenType.VAR, TokenType.IDENTIFIER, TokenType.STRING)


def _name(one: exp.Expr | Token) -> str:
    """Like PostgreSQL, which folds names without quotes."""
    if isinstance(one, Token):
        return one.text.lower() if one.token_type is TokenType.VAR else one.text
    return str(one.this) if one.args.get("quoted") else str(one.this).lower()


def _column(one: exp.Expr) -> str:
    return _name(cast("exp.Expr", one.this) if isinstance(one, exp.Column) else one)


def _short(sql: str) -> str:
    return " ".join(sql[: 4 * _SHOWN].split())[:_SHOWN]
