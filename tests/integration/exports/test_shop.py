"""The shop's databases, and the example of a policy, which fits them."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import psycopg
import pytest

from bot.domain.exports import PATH, ExportPolicy, parse_export_policies
from bot.domain.ports.exports import ExportJob, ExportSecrets
from bot.exports import source
from bot.playground import sample
from bot.playground.shop import ShopDatabases, running_shop
from bot.playground.shop.rows import Shop
from tests.integration.exports.conftest import CONTROL, KEY

pytestmark = pytest.mark.postgres

ROOT = Path(__file__).parents[3]


@pytest.fixture(scope="module")
def shop() -> Iterator[ShopDatabases]:
    with running_shop("acme/infra") as found:
        yield found


def policy() -> ExportPolicy:
    return parse_export_policies(sample.files()[PATH].decode()).exports["staging"]


def test_the_example_is_the_samples() -> None:
    assert (ROOT / PATH).read_bytes() == sample.files()[PATH]


def test_the_example_fits_and_takes_rows_of_all_tables_but_one(shop: ShopDatabases) -> None:
    job = ExportJob("e1", "acme/infra", "staging", policy(), ExportSecrets(shop.prod, "", shop.staging, KEY))
    with source.open_source(job, CONTROL) as opened:
        preview = source.preview(opened, job.policy, CONTROL)
    assert {str(one.table) for one in preview.tables if not one.rows} == {"public.password_resets"}
    assert 100 < next(one.rows for one in preview.tables if one.table.name == "customers") < 1500


def test_the_roles_may_do_no_more_than_exports_need(shop: ShopDatabases) -> None:
    with psycopg.connect(shop.prod) as connection, pytest.raises(psycopg.errors.InsufficientPrivilege):
        connection.execute("DELETE FROM events")
    with psycopg.connect(shop.staging) as connection:
        assert connection.execute(
            "SELECT rolsuper FROM pg_roles WHERE rolname = current_user"
        ).fetchone() == (False,)


def test_rows_are_the_same_for_the_same_seed() -> None:
    now = datetime(2026, 1, 1, tzinfo=UTC)
    assert list(Shop(50, "x.org", now).tables()) == list(Shop(50, "x.org", now).tables())
    assert list(Shop(50, "x.org", now).tables()) != list(Shop(50, "x.org", now, seed=7).tables())
