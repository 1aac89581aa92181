"""Makes docs/playground.png anew: `python -m tests.browser.picture` (with Chromium and a font with emoji)."""

from __future__ import annotations

import tempfile
from pathlib import Path

from playwright.sync_api import expect, sync_playwright

from bot.playground.page.server import Page as Served
from bot.playground.page.server import listen
from bot.playground.world import World
from tests.browser.conftest import PATIENCE
from tests.browser.support import ARGUMENTS, Seen
from tests.leftout import chromium

PLACE = Path(__file__).parents[2] / "docs" / "playground.png"


def main() -> None:
    """A story in one picture: staging is being applied, and everybody sees it in both places."""
    expect.set_options(timeout=PATIENCE)
    with (
        tempfile.TemporaryDirectory() as directory,
        World(Path(directory)) as world,
        Served(world, listen(0)) as served,
        sync_playwright() as playwright,
    ):
        browser = playwright.chromium.launch(executable_path=chromium(), args=ARGUMENTS)
        page = browser.new_page(viewport={"width": 1600, "height": 1000}, color_scheme="light")
        page.set_default_timeout(PATIENCE)
        page.goto(served.url)
        story = Seen(page)
        page.get_by_role("button", name="Hide these hints").click()
        story.propose("more-nodes", "One more node", author="carol")
        expect(story.row("staging")).to_contain_text("ready to apply")
        story.comment("/apply staging")
        expect(story.row("staging")).to_contain_text("applied")
        page.get_by_role("button", name="Merge pull request").click()
        expect(page.locator(".badge").first).to_have_text("Merged")
        story.propose("bigger-web", "Bigger web server")
        expect(story.row("staging")).to_contain_text("ready to apply")
        page.get_by_role("switch", name="Slow cloud").click()
        story.comment("/apply staging")
        expect(story.row("staging")).to_contain_text("applying")
        story.status.locator(".markdown details").last.locator("summary").click()
        story.send("/infra status")
        expect(page.locator("#messages .whisper")).to_have_count(1)
        page.locator("#messages .whisper").evaluate("one => one.scrollIntoView({block: 'end'})")
        page.locator("#github-scroll").evaluate("one => one.scrollTo(0, 0)")
        page.wait_for_timeout(1500)  # outlines of what has changed fade
        PLACE.parent.mkdir(exist_ok=True)
        page.screenshot(path=PLACE)
        browser.close()


if __name__ == "__main__":
    main()
