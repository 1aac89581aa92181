"""A column of a migration as the catalogue will have it, as far as its text tells."""

from __future__ import annotations

from sqlglot import exp

from bot.domain.exports.schema import Column

_BASES = {
    "VARCHAR": "character varying",
    "CHAR": "character",
    "BPCHAR": "character",
    "INT": "integer",
    "DECIMAL": "numeric",
    "FLOAT": "real",
    "DOUBLE": "double precision",
    "TIMESTAMP": "timestamp without time zone",
    "TIMESTAMPTZ": "timestamp with time zone",
    "TIME": "time without time zone",
    "TIMETZ": "time with time zone",
    "VARBINARY": "bytea",
    "SERIAL": "integer",
    "BIGSERIAL": "bigint",
    "SMALLSERIAL": "smallint",
}
"""The parser's names of types that PostgreSQL's catalogue calls otherwise."""


def column_type(name: str, definition: exp.ColumnDef) -> Column:
    """Return the column. A type of the database's own keeps its name; with no type given, that is ""."""
    kind = definition.args.get("kind")
    constraints = [one.kind for one in definition.args.get("constraints") or ()]
    computed = any(isinstance(one, exp.ComputedColumnConstraint) for one in constraints)
    identity = any(isinstance(one, exp.GeneratedAsIdentityColumnConstraint) for one in constraints)
    written = kind.sql(dialect="postgres") if kind else ""
    return Column(
        name,
        written.lower() if kind is None or not kind.find(exp.Identifier) else written,
        _base(kind),
        not_null=any(
            isinstance(one, exp.NotNullColumnConstraint) and not one.args.get("allow_null")
            for one in constraints
        )
        or any(isinstance(one, exp.PrimaryKeyColumnConstraint) for one in constraints),
        generated=computed,
        identity=identity,
        length=_length(kind),
    )


def _base(kind: exp.Expr | None) -> str:
    if not isinstance(kind, exp.DataType):
        return kind.sql(dialect="postgres") if kind else ""
    if kind.this == exp.DataType.Type.ARRAY:
        return f"{_base(kind.expressions[0]) if kind.expressions else ''}[]"
    if kind.this == exp.DataType.Type.USERDEFINED:
        return str(kind.sql(dialect="postgres")).rpartition(".")[2].strip('"')
    name = str(kind.this.name)
    return _BASES.get(name, name.lower())


def _length(kind: exp.Expr | None) -> int:
    if not isinstance(kind, exp.DataType) or _base(kind) not in ("character varying", "character"):
        return 0
    sizes = [one for one in kind.expressions if isinstance(one, exp.DataTypeParam)]
    return int(sizes[0].name) if sizes and sizes[0].name.isdigit() else 0
