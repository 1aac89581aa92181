"""The pane of databases: prod and staging side by side, live, and read only."""

from __future__ import annotations

import shlex
import subprocess
from collections.abc import Iterator

import httpx
import psycopg
import pytest
from playwright.sync_api import expect

from bot.playground.page.databases_view import PAGE, databases_view
from bot.playground.page.server import Page as Served
from bot.playground.shop import ShopDatabases, running_shop
from bot.playground.world import REPOSITORY, World
from tests.browser.support import Seen

pytestmark = pytest.mark.postgres

HOSTILE = "<img src=x onerror=\"document.title='hit'\">"


@pytest.fixture(scope="module")
def shop() -> Iterator[ShopDatabases]:
    with running_shop(REPOSITORY) as found:
        yield found


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory, shop: ShopDatabases) -> Iterator[World]:
    with World(tmp_path_factory.mktemp("databases"), shop=shop) as started:
        yield started


def test_both_have_their_tables_and_the_rows_of_one_page(shop: ShopDatabases) -> None:
    prod, staging = databases_view(shop, "public.customers", 10**8)
    assert dict(prod.tables)["public.customers"] == 3000
    assert dict(staging.tables)["public.customers"] == 120
    assert "towpath.marker" not in dict(staging.tables)
    assert staging.rows is not None
    assert (staging.rows.page, staging.rows.last) == (9, 9)
    assert [row[0] for row in staging.rows.rows] == [str(n) for n in range(121 - PAGE, 121)]
    assert databases_view(shop, 'public.customers"; DROP TABLE customers; --', 0)[0].rows is None


def test_the_command_line_opens_the_database(shop: ShopDatabases) -> None:
    query = "SELECT count(*) FROM customers"
    for one, rows in zip(databases_view(shop, "", 0), ("3000", "120"), strict=True):
        done = subprocess.run(
            [*shlex.split(one.psql), "-Atc", query], capture_output=True, text=True, check=True
        )
        assert done.stdout.strip() == rows


def test_a_database_that_cannot_be_read_is_told(shop: ShopDatabases) -> None:
    gone = ShopDatabases(shop.prod, shop.staging.replace("shop_staging", "shop_gone"), shop.admin, "")
    prod, staging = databases_view(gone, "public.customers", 0)
    assert prod.tables
    assert "cannot be read now" in staging.problem
    assert staging.tables == ()


@pytest.mark.chromium
def test_a_person_looks_at_them(seen: Seen, shop: ShopDatabases) -> None:
    page = seen.page
    expect(page.locator("#databases")).to_be_hidden()
    page.get_by_role("button", name="Databases", exact=True).focus()
    page.keyboard.press("Enter")
    prod, staging = page.locator("#database-prod"), page.locator("#database-staging")
    expect(prod).to_contain_text("public.customers 3,000")
    expect(prod.locator("tbody tr")).to_have_count(PAGE)
    expect(staging.locator("tbody tr").first).to_contain_text("@old.example.org")
    staging.get_by_role("button", name="Next").click()
    expect(staging.locator("tbody td").first).to_have_text(str(PAGE + 1))

    with psycopg.connect(shop.staging, autocommit=True) as connection:
        connection.execute("INSERT INTO categories VALUES (0, NULL, %s)", (HOSTILE,))
    expect(staging).to_contain_text("public.categories 7")
    staging.get_by_role("button", name="public.categories").click()
    expect(staging.locator("tbody")).to_contain_text(HOSTILE)
    expect(page.locator("#databases-body img")).to_have_count(0)
    assert page.title() == "Towpath playground"

    page.get_by_role("button", name="Close the databases").click()
    expect(page.locator("#databases")).to_be_hidden()
    expect(page.get_by_role("button", name="Databases", exact=True)).to_be_focused()


def test_the_part_is_empty_while_the_pane_is_closed(served: Served) -> None:
    with httpx.Client(trust_env=False) as client:
        assert client.get(f"{served.url}parts/databases").text == ""
        shown = client.get(f"{served.url}parts/databases?databases=open&table=public.orders&page=x")
    assert "public.orders" in shown.text
    assert "script-src 'self'" in shown.headers["content-security-policy"]
