"""The snapshot, its settings, what is refused, and what people read when it fails."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from itertools import cycle

import psycopg
import pytest
from sqlalchemy.engine import make_url

from bot.domain.exports import Limits, Progress, Root
from bot.domain.ports.exports import Cancelled
from bot.errors import TransientError, UserError
from bot.exports.source import inspect, open_source, select_rows
from tests.integration.exports.source.support import job, made, named, opened, policy, read, told, with_user
from tests.postgres import Postgres

pytestmark = pytest.mark.postgres

TABLE = "CREATE TABLE t (id int PRIMARY KEY, p int REFERENCES t); INSERT INTO t SELECT n FROM generate_series(1, 10) n;"


def test_all_connections_read_the_same_moment(url: str) -> None:
    made(url, TABLE)
    rules = policy(Root(named("t"), where="id > 0"))
    with opened(url, rules) as source:
        made(url, "INSERT INTO t VALUES (11); DELETE FROM t WHERE id < 5; UPDATE t SET p = 11 WHERE id = 7")
        selection = select_rows(source, rules, told())
        made(url, "DELETE FROM t")
        assert read(source, selection, named("t")) == {(str(n), None) for n in range(1, 11)}
        with source.connection() as first, source.connection() as second:
            counts = [one.execute("SELECT count(*) FROM public.t").fetchone() for one in (first, second)]
        assert counts == [(10,), (10,)]


def test_nothing_can_be_written(url: str) -> None:
    made(url, TABLE)
    with opened(url, policy()) as source:
        with pytest.raises(UserError, match="ReadOnlySqlTransaction"), source.connection() as connection:
            connection.execute("DELETE FROM public.t")
        with source.connection() as connection:
            settings = [
                connection.execute(f"SHOW {name}").fetchone()
                for name in (
                    "row_security",
                    "search_path",
                    "statement_timeout",
                    "application_name",
                    "client_encoding",
                )
            ]
    assert settings == [("off",), ('""',), ("15min",), ("towpath export",), ("UTF8",)]


def test_a_table_may_not_be_rewritten_while_it_is_read(url: str) -> None:
    made(url, TABLE)
    with opened(url, policy()), psycopg.connect(url, autocommit=True) as writer:
        writer.execute("SET lock_timeout = '100ms'")
        with pytest.raises(psycopg.errors.LockNotAvailable):
            writer.execute("TRUNCATE t")


def test_a_role_under_row_level_security_is_refused(postgres: Postgres, empty_postgres_url: str) -> None:
    made(
        empty_postgres_url,
        f"""{TABLE} CREATE ROLE hidden LOGIN PASSWORD 'pw'; GRANT SELECT ON t TO hidden;
        ALTER TABLE t ENABLE ROW LEVEL SECURITY; CREATE POLICY one ON t USING (id = 1);""",
    )
    rules = policy(Root(named("t")))
    try:
        with (
            pytest.raises(
                UserError,
                match=r"Row-level security hides rows of t from the role in PROD_EXPORT_DATABASE_URL",
            ),
            opened(with_user(empty_postgres_url, "hidden", "pw"), rules) as source,
        ):
            select_rows(source, rules, told())
    finally:
        made(empty_postgres_url, "DROP OWNED BY hidden; DROP ROLE hidden")


def test_a_role_without_rights_is_told_what_it_needs(empty_postgres_url: str) -> None:
    made(empty_postgres_url, f"{TABLE} CREATE ROLE poor LOGIN PASSWORD 'pw'")
    rules = policy(Root(named("t")))
    try:
        with (
            pytest.raises(UserError, match=r"permission denied for table t.*GRANT pg_read_all_data"),
            opened(with_user(empty_postgres_url, "poor", "pw"), rules) as source,
        ):
            select_rows(source, rules, told())
    finally:
        made(empty_postgres_url, "DROP ROLE poor")


def test_errors_do_not_show_the_password_or_row_values(empty_postgres_url: str) -> None:
    made(
        empty_postgres_url, "CREATE TABLE t (id int PRIMARY KEY, v text); INSERT INTO t VALUES (1, 'private')"
    )
    secret = "very-secret"
    wrong = make_url(empty_postgres_url).set(password=secret).render_as_string(hide_password=False)
    nowhere = f"postgresql://towpath:{secret}@127.0.0.1:1/shop"
    rules = policy(Root(named("t"), where="v::int > 1"))
    with pytest.raises(UserError, match="refused the sign-in") as refused:
        inspect(job(wrong, rules), told())
    with pytest.raises(TransientError, match=r"shop at 127\.0\.0\.1:1 does not answer") as unavailable:
        inspect(job(nowhere, rules), told())
    with pytest.raises(UserError, match="is not a PostgreSQL address") as nonsense:
        inspect(job(f"postgresql://u:{secret}@h:not/a?port", rules), told())
    with (
        pytest.raises(UserError, match="InvalidTextRepresentation") as value,
        opened(empty_postgres_url, rules) as source,
    ):
        select_rows(source, rules, told())
    for error in (refused, unavailable, nonsense, value):
        assert secret not in str(error.value)
        assert "private" not in str(error.value)
        assert error.value.__suppress_context__ or error.value.__context__ is None


def test_a_wrong_predicate_is_told_with_its_reason(empty_postgres_url: str) -> None:
    made(empty_postgres_url, TABLE)
    rules = policy(Root(named("t"), where="nothing > 1"))
    with (
        pytest.raises(UserError, match='column "nothing" does not exist'),
        opened(empty_postgres_url, rules) as source,
    ):
        select_rows(source, rules, told())


@contextmanager
def proxy(*servers: str) -> Iterator[int]:
    """A TCP proxy whose connections go to these servers in turn; returns its port."""
    listener = socket.create_server(("127.0.0.1", 0))
    turns = cycle((make_url(server).host, make_url(server).port) for server in servers)

    def pump(one: socket.socket, other: socket.socket) -> None:
        with one, other:
            while data := _received(one):
                other.sendall(data)

    def serve() -> None:
        while True:
            try:
                client, _ = listener.accept()
            except OSError:
                return
            upstream = socket.create_connection(next(turns))  # type: ignore[arg-type]
            for pair in ((client, upstream), (upstream, client)):
                threading.Thread(target=pump, args=pair, daemon=True).start()

    thread = threading.Thread(target=serve, daemon=True)
    thread.start()
    yield int(listener.getsockname()[1])
    listener.shutdown(socket.SHUT_RDWR)
    listener.close()
    thread.join()


def _received(connection: socket.socket) -> bytes:
    try:
        return connection.recv(65536)
    except OSError:
        return b""


def test_a_pooler_over_two_servers_is_refused(postgres: Postgres, newest_postgres: Postgres) -> None:
    urls = [one.url.render_as_string(hide_password=False) for one in (postgres, newest_postgres)]
    for one in urls:
        made(one, "CREATE ROLE proxied LOGIN PASSWORD 'pw'")
    try:
        with proxy(*urls) as port:
            address = postgres.url.set(port=port).render_as_string(hide_password=False)
            with (
                pytest.raises(
                    UserError, match=rf"postgres at 127\.0\.0\.1:{port} is a connection pooler"
                ) as refused,
                opened(with_user(address, "proxied", "pw"), policy()),
            ):
                pass
    finally:
        for one in urls:
            made(one, "DROP ROLE proxied")
    assert (
        refused.value.next_step
        == "Set PROD_EXPORT_DATABASE_URL to the direct address of the PostgreSQL server."
    )


def test_a_plain_proxy_to_one_server_is_accepted(empty_postgres_url: str) -> None:
    with proxy(empty_postgres_url) as port:
        address = make_url(empty_postgres_url).set(port=port).render_as_string(hide_password=False)
        with opened(address, policy()) as source:
            assert source.snapshot


def test_the_replica_is_read_if_there_is_one(empty_postgres_url: str) -> None:
    with open_source(
        job("postgresql://nobody@127.0.0.1:1/x", policy(), replica=empty_postgres_url), told()
    ) as source:
        assert source.url == empty_postgres_url
        assert source.server.secret == "PROD_EXPORT_REPLICA_URL"


def test_a_long_query_ends_when_the_export_is_cancelled(empty_postgres_url: str) -> None:
    cancelled: list[bool] = []
    threading.Timer(0.5, lambda: cancelled.append(True)).start()
    with (
        pytest.raises(Cancelled),
        open_source(job(empty_postgres_url, policy()), told(cancelled=cancelled)) as source,
        source.connection() as connection,
    ):
        connection.execute("SELECT pg_sleep(60)")


@pytest.mark.parametrize("limit", ["statement", "total"])
def test_time_limits_end_it(empty_postgres_url: str, limit: str) -> None:
    short = {
        "statement": Limits(statement=timedelta(seconds=0.2)),
        "total": Limits(total=timedelta(seconds=1)),
    }
    with (
        pytest.raises(UserError, match=rf"limits\.{limit}"),
        opened(empty_postgres_url, policy(limits=short[limit])) as source,
        source.connection() as connection,
    ):
        connection.execute("SELECT pg_sleep(60)")


def test_it_waits_while_the_source_is_busy_and_tells_why(empty_postgres_url: str) -> None:
    rules = policy(limits=Limits(sessions=0))
    reasons: list[str] = []
    with (
        psycopg.connect(empty_postgres_url, autocommit=True) as busy,
        opened(empty_postgres_url, rules) as source,
    ):
        running = threading.Thread(target=lambda: busy.execute("SELECT pg_sleep(1)"))
        running.start()
        while not _active(empty_postgres_url):
            pass
        source.wait(reasons.append)
        running.join()
    assert reasons[0].endswith("sessions are active, the limit is 0")
    assert reasons[-1] == ""


def _active(url: str) -> bool:
    with psycopg.connect(url) as connection:
        return bool(
            connection.execute("SELECT FROM pg_stat_activity WHERE query LIKE 'SELECT pg_sleep%'").fetchall()
        )


def test_waiting_can_be_cancelled(empty_postgres_url: str) -> None:
    cancelled: list[bool] = []
    rules = policy(Root(named("t"), where="id > 1"), limits=Limits(sessions=-1))
    made(empty_postgres_url, TABLE)
    seen: list[Progress] = []
    threading.Timer(0.6, lambda: cancelled.append(True)).start()
    with (
        pytest.raises(Cancelled),
        open_source(job(empty_postgres_url, rules), told(cancelled=cancelled)) as source,
    ):
        select_rows(source, rules, told(seen, cancelled))
    assert "sessions are active" in seen[0].waiting
