"""Predicates of roots: one boolean SQL expression over a table's columns, and nothing else.

What is validated is run as it is written. So whatever two parsers could read differently is refused: comments, backslashes, dollar
quotes, and every kind of expression that is not listed here."""

from __future__ import annotations

from itertools import pairwise
from typing import cast

import sqlglot
from sqlglot import TokenType, exp
from sqlglot.errors import SqlglotError

LONGEST = 1000
"""Characters."""

_REFUSED = {
    ";": "a `;`",
    "--": "a comment",
    "/*": "a comment",
    "$": "a `$`",
    "\\": "a backslash",
}
_CONDITIONS = (
    exp.And,
    exp.Or,
    exp.Not,
    exp.EQ,
    exp.NEQ,
    exp.LT,
    exp.LTE,
    exp.GT,
    exp.GTE,
    exp.Is,
    exp.In,
    exp.Between,
    exp.Like,
    exp.ILike,
    exp.NullSafeEQ,
    exp.NullSafeNEQ,
    exp.Boolean,
    exp.Column,
)
_PARTS = (
    *_CONDITIONS,
    exp.Paren,
    exp.Tuple,
    exp.Identifier,
    exp.Literal,
    exp.Null,
    exp.Var,
    exp.Neg,
    exp.Add,
    exp.Sub,
    exp.Mul,
    exp.Div,
    exp.Mod,
    exp.DPipe,
    exp.Interval,
    exp.IntervalSpan,
    exp.AtTimeZone,
    exp.Cast,
    exp.DataType,
    exp.DataTypeParam,
    exp.Array,
    exp.Any,
    exp.Case,
    exp.If,
    exp.JSONExtract,
    exp.JSONExtractScalar,
    exp.JSONPath,
    exp.JSONPathRoot,
    exp.JSONPathKey,
    exp.JSONPathSubscript,
)
_FUNCTIONS: dict[type[exp.Expression], str] = {
    exp.CurrentTimestamp: "now",
    exp.CurrentDate: "current_date",
    exp.Lower: "lower",
    exp.Upper: "upper",
    exp.Trim: "trim",
    exp.Length: "length",
    exp.Abs: "abs",
    exp.Coalesce: "coalesce",
    exp.Nullif: "nullif",
    exp.Greatest: "greatest",
    exp.Least: "least",
    exp.TimestampTrunc: "date_trunc",
    exp.Extract: "extract",
}
_NAMED = ("age",)
"""Allowed functions that sqlglot has no class for."""
_TYPES = frozenset(
    exp.DataType.Type[name]
    for name in [
        "TEXT",
        "VARCHAR",
        "CHAR",
        "SMALLINT",
        "INT",
        "BIGINT",
        "DECIMAL",
        "FLOAT",
        "DOUBLE",
        "BOOLEAN",
        "DATE",
        "TIME",
        "TIMETZ",
        "TIMESTAMP",
        "TIMESTAMPTZ",
        "INTERVAL",
        "UUID",
        "ARRAY",
    ]
)
FUNCTIONS = (*_FUNCTIONS.values(), *_NAMED)
_BEFORE_PARENTHESES = frozenset(
    (
        *FUNCTIONS,
        *[
            "and",
            "or",
            "not",
            "in",
            "any",
            "is",
            "between",
            "like",
            "ilike",
            "from",
            "when",
            "then",
            "else",
            "end",
            "case",
            "cast",
            "array",
            "interval",
            "as",
            "distinct",
        ],
        *[
            "current_timestamp",
            "char",
            "varchar",
            "numeric",
            "decimal",
            "float",
            "time",
            "timestamp",
            "timestamptz",
            "precision",
            "with",
        ],
    )
)
"""Words that a `(` may follow. The parser also knows other databases' names, such as `nvl` for `coalesce`, which here could
be anybody's function."""


def problem_of(where: str) -> str:
    """Return why `where` is not a predicate, to follow the key in a sentence, or "" if it is one."""
    for sign, what in _REFUSED.items():
        if sign in where:
            return f"has {what}, but must be one plain condition"
    try:
        found = _parsed(where)
    except (SqlglotError, RecursionError):
        return "is not SQL that Towpath can read; use one condition such as `created_at > now() - interval '90 days'`"
    if found is None:
        return "must be one condition, without statements"
    if called := _called(where):
        return _function(called)
    for node in found.walk():
        if wrong := _wrong(node):
            return wrong
    if not isinstance(found.unnest(), _CONDITIONS):
        return "must be a condition that is true or false, such as `plan = 'pro'`"
    return ""


def columns_of(where: str) -> tuple[str, ...]:
    """Return the columns that a valid predicate reads, as the catalogue has them."""
    found = _parsed(where) if where else None
    columns = found.find_all(exp.Column) if found else ()
    return tuple(dict.fromkeys(_catalogued(cast("exp.Identifier", one.this)) for one in columns))


def _parsed(where: str) -> exp.Expression | None:
    statements = sqlglot.parse(where, dialect="postgres")
    return cast("exp.Expression", statements[0]) if len(statements) == 1 and statements[0] else None


def _called(where: str) -> str:
    """Return the first word before a `(` that may not be there, or ""."""
    tokens = sqlglot.tokenize(where, read="postgres")
    for token, after in pairwise(tokens):
        word = token.text.lower()
        if (
            after.token_type is TokenType.L_PAREN
            and word.replace("_", "a").isalnum()
            and word not in _BEFORE_PARENTHESES
        ):
            return word
    return ""


def _catalogued(name: exp.Identifier) -> str:
    """Like PostgreSQL, which folds names without quotes."""
    return str(name.this) if name.quoted else str(name.this).lower()


def _wrong(node: exp.Expr) -> str:
    if node.comments:
        return "has a comment, but must be one plain condition"
    if isinstance(node, exp.Column):
        if node.args.get("table") or not isinstance(node.this, exp.Identifier):
            return f"names `{node.sql(dialect='postgres')[:60]}`; name columns of the root's own table, without a table"
        return ""
    if isinstance(node, exp.DataType):
        known = node.this in _TYPES
        return "" if known else f"casts to `{node.sql(dialect='postgres')[:60]}`, which is not a plain type"
    if isinstance(node, exp.Query | exp.Subquery | exp.Exists):
        return "has a subquery, but may only read the root's own table"
    if isinstance(node, exp.Anonymous):
        name = str(node.this)
        return "" if name.lower() in _NAMED and isinstance(node.this, str) else _function(name)
    if type(node) in _PARTS or type(node) in _FUNCTIONS:
        return ""
    if isinstance(node, exp.Func):
        return _function(node.sql_name())
    return f"has `{node.sql(dialect='postgres')[:60]}`, which predicates may not use"


def _function(name: str) -> str:
    return f"calls `{name[:60].lower()}`; the functions that it may call are {', '.join(f'`{one}`' for one in FUNCTIONS)}"
