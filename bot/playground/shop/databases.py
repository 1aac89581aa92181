"""The shop's two databases on one server: prod, which is read, and staging, which exports replace."""

from __future__ import annotations

import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

import psycopg
from psycopg import Connection, sql
from sqlalchemy.engine import URL

from bot.exports import mark
from bot.playground.postgres import running
from bot.playground.shop.rows import Shop

SCHEMA = Path(__file__).with_name("schema.sql")
PROD, STAGING = "shop_prod", "shop_staging"
PROD_DOMAIN, STAGING_DOMAIN = "shop.example.net", "old.example.org"
"""Of e-mail addresses: whoever sees one knows where it came from. Masked ones end with another."""
CUSTOMERS, OLD_CUSTOMERS = 3000, 120

# The prod role reads everything and writes nothing; the staging role owns its database and may create others.
_ROLES = """
CREATE ROLE export_reader LOGIN PASSWORD {reader};
GRANT pg_read_all_data, pg_read_all_stats TO export_reader;
CREATE ROLE staging_owner LOGIN CREATEDB PASSWORD {owner};
CREATE DATABASE {prod};
CREATE DATABASE {staging} OWNER staging_owner;
"""


@dataclass(frozen=True)
class ShopDatabases:
    """Addresses. prod, staging: what the bot gets. admin: a superuser's of prod, for people who change its data."""

    prod: str = field(repr=False)
    staging: str = field(repr=False)
    admin: str = field(repr=False)
    masking_key: str = field(repr=False)

    @property
    def names(self) -> tuple[str, str]:
        """The databases' names."""
        return PROD, STAGING

    def settings(self) -> dict[str, str]:
        """Return what the bot needs in its environment to export from prod to staging."""
        return {
            "PROD_EXPORT_DATABASE_URL": self.prod,
            "STAGING_EXPORT_DATABASE_URL": self.staging,
            "STAGING_EXPORT_MASKING_KEY": self.masking_key,
        }


@contextmanager
def running_shop(repository: str) -> Iterator[ShopDatabases]:
    """Start a server with both databases, and stop it at the end. Staging starts with a few old customers and is marked as
    the repository's. It takes three seconds. Raises NoPostgres."""
    with running() as server:
        yield _filled(server.url, repository)


def _filled(server: URL, repository: str) -> ShopDatabases:
    reader, owner = secrets.token_hex(12), secrets.token_hex(12)
    with psycopg.connect(_text(server), autocommit=True) as connection:
        for statement in _ROLES.strip().splitlines():
            values = {"reader": sql.Literal(reader), "owner": sql.Literal(owner)}
            names = {"prod": sql.Identifier(PROD), "staging": sql.Identifier(STAGING)}
            connection.execute(sql.SQL(statement).format(**values, **names))
    found = ShopDatabases(
        _text(server.set(username="export_reader", password=reader, database=PROD)),
        _text(server.set(username="staging_owner", password=owner, database=STAGING)),
        _text(server.set(database=PROD)),
        secrets.token_hex(32),
    )
    now = datetime.now(UTC)
    fill(found.admin, Shop(CUSTOMERS, PROD_DOMAIN, now))
    fill(found.staging, Shop(OLD_CUSTOMERS, STAGING_DOMAIN, now, seed=1))
    mark(found.staging, repository, "staging")
    return found


def fill(url: str, shop: Shop) -> None:
    """Create the schema and its rows in an empty database."""
    with psycopg.connect(url) as connection:
        connection.execute(SCHEMA.read_bytes())
        for table, columns, rows in shop.tables():
            copy = f"COPY {table} ({columns}) FROM STDIN"
            with connection.cursor() as cursor, cursor.copy(copy.encode()) as stream:
                for row in rows:
                    stream.write_row(row)
        _advance_sequences(connection)
        connection.execute("REFRESH MATERIALIZED VIEW revenue")
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute("ANALYZE")  # autovacuum is off


def _advance_sequences(connection: Connection) -> None:
    for table in ("hr.employees", "customers", "addresses", "orders", "support_tickets"):
        connection.execute(
            f"SELECT setval(pg_get_serial_sequence('{table}', 'id'), (SELECT max(id) FROM {table}))".encode()  # noqa: S608
        )


def _text(url: URL) -> str:
    return url.render_as_string(hide_password=False)
