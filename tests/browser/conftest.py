"""A world with its page, and a Chromium that looks at it."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page, expect, sync_playwright

from bot.playground.page.server import Page as Served
from bot.playground.page.server import listen
from bot.playground.world import World
from tests.browser.support import ARGUMENTS, Seen
from tests.leftout import chromium

PATIENCE = 60_000
"""Milliseconds that anything awaited may take: a plan with real Terraform on a busy machine."""


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    with World(tmp_path_factory.mktemp("browser")) as started:
        yield started


@pytest.fixture(scope="module")
def served(world: World) -> Iterator[Served]:
    with Served(world, listen(0)) as page:
        yield page


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """A Chromium. It ends with the module: Playwright keeps an event loop running in the main thread, with which DBOS
    and asyncio refuse to start in the tests that follow in this process."""
    with sync_playwright() as playwright:
        found = playwright.chromium.launch(executable_path=chromium(), args=ARGUMENTS)
        yield found
        found.close()


@pytest.fixture
def seen(browser: Browser, served: Served) -> Iterator[Seen]:
    """The page, newly opened by ann. Fails where the page's own scripts did."""
    # What moves on the page while the bot works would be drawn sixty times a second, for nobody.
    context = browser.new_context(viewport={"width": 1600, "height": 1000}, reduced_motion="reduce")
    page: Page = context.new_page()
    page.set_default_timeout(PATIENCE)
    expect.set_options(timeout=PATIENCE)
    errors: list[str] = []
    page.on("pageerror", lambda error: errors.append(str(error)))
    page.goto(served.url)
    yield Seen(page)
    context.close()
    assert errors == []
