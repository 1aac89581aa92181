"""Small schemas and policies for the tests."""

from __future__ import annotations

from bot.domain.exports import (
    Column,
    DatabaseSchema,
    ExportPolicy,
    ForeignKey,
    Table,
    TableName,
    UniqueKey,
    parse_export_policies,
)

PEOPLE, ORDERS = TableName("public", "people"), TableName("public", "orders")
HEAD = '[export.staging]\nfrom = "prod"\n[[export.staging.roots]]\ntable = "public.people"\n'


def column(name: str, kind: str = "text", *, length: int = 0, **more: bool) -> Column:
    return Column(name, kind, kind, length=length, **more)


def table(name: TableName, *columns: Column, key: str = "id", unique: str = "") -> Table:
    keys = [UniqueKey((key,), primary=True)] if key else []
    return Table(name, columns, tuple(keys + ([UniqueKey((unique,))] if unique else [])))


def schema(*tables: Table, references: tuple[ForeignKey, ...] = ()) -> DatabaseSchema:
    return DatabaseSchema(tables, references, 160004, "digest")


def policy(people: str, orders: str = "", more: str = "") -> ExportPolicy:
    """people, orders: the lines of their columns."""
    text = f'{HEAD}{more}[export.staging.tables."public.people".columns]\n{people}\n'
    if orders:
        text += f'[export.staging.tables."public.orders".columns]\n{orders}\n'
    return parse_export_policies(text).exports["staging"]
