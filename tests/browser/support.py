"""What the stories do on the page."""

from __future__ import annotations

from playwright.sync_api import Locator, Page, expect

ARGUMENTS = [
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]


class Seen:
    """The page as a person uses it."""

    def __init__(self, page: Page) -> None:
        self.page = page

    def propose(self, change: str, title: str, author: str = "ann") -> int:
        """A new pull request; returns its number, with it in front."""
        page = self.page
        page.get_by_role("button", name="New pull request").click()
        dialog = page.locator("dialog#propose")
        dialog.get_by_label("Change").select_option(change)
        dialog.get_by_label("Title").fill(title)
        dialog.get_by_label("Author").select_option(author)
        dialog.get_by_role("button", name="Create pull request").click()
        expect(page.locator("#pull h1")).to_contain_text(title)
        return int(page.locator("#pull-root").get_attribute("data-number") or 0)

    def comment(self, text: str) -> None:
        self.page.get_by_label("Add a comment").fill(text)
        self.page.locator("#composer").get_by_role("button", name="Comment", exact=True).click()

    def send(self, text: str) -> None:
        """A line in Slack."""
        self.page.locator("#line").fill(text)
        self.page.locator("#line").press("Enter")

    def comments(self, text: str) -> Locator:
        """The comments that hold a text."""
        return self.page.locator("#story .entry.comment", has_text=text)

    @property
    def status(self) -> Locator:
        """The bot's status comment."""
        return self.page.locator("#story .entry.comment", has=self.page.locator("th", has_text="Environment"))

    def row(self, environment: str) -> Locator:
        """An environment's row in the status comment."""
        return self.status.locator("tr", has_text=environment).first

    def check(self, name: str) -> Locator:
        return self.page.locator("#checks > .check", has_text=name).first
