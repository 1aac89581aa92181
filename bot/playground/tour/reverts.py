"""The way back, as the chapters about it go it: planned, read, consented to, counted, applied."""

from __future__ import annotations

from bot.playground.tour.production import staged
from bot.playground.tour.pull import PullPage
from bot.playground.tour.reading import plain
from bot.playground.tour.story import Story


def released(story: Story, page: PullPage, *changes: str) -> str:
    """Its author pushes these changes, one commit each, and brings them to staging; returns the commit."""
    for change in changes:
        story.push(page, change)
    staged(story, page)
    return page.head


def way_back(story: Story, page: PullPage, commit: str, text: str = "/revert staging") -> str:
    """The plan that leads staging back to `commit` stands in the status comment; returns what is folded there."""
    story.reacts(page, story.say(page, text), "👍")
    story.sees("an answer", lambda: page.reply("the way back of staging", commit[:7]), lambda: page.replies)
    story.sees(
        f"the way back to {commit[:7]} is there to be read",
        lambda: (
            page.row("staging")["Next"].startswith("/revert staging")
            and page.row("staging")["Planned"].startswith(commit[:7])
        ),
        lambda: page.status,
    )
    text = "\n".join(map(plain, page.status.splitlines()))
    story.reads(text, f"Going back to {commit[:7]} means:")
    return text[text.index("Going back to") :]


def consented(story: Story, page: PullPage, *, by: str = "bob") -> None:
    """The revert is asked for, and somebody else agrees."""
    story.say(page, "/revert staging")
    story.sees("consent is asked for", lambda: page.reply("asks to revert staging"), lambda: page.replies)
    story.reacts(page, story.say(page, "/approve staging", author=by), "👍")


def reverted(story: Story, page: PullPage, commit: str, text: str = "/revert staging") -> str:
    """Exactly the plan that was read is applied; returns the status comment, which proves it."""
    story.reacts(page, story.say(page, text), "🚀")

    def look() -> str:
        shown = "\n".join(map(plain, page.status.splitlines()))
        there = "✅ reverted" in page.row("staging")["State"] and "The world is as" in shown
        return shown if there else ""

    told = story.sees("staging is reverted, with the proof", look, lambda: page.status)
    story.reads(told, f"The world is as {commit[:7]} left it")
    return told


def everything(story: Story) -> dict[str, str]:
    """All that is in staging's cloud: name → id."""
    kinds = ("server", "dns_record", "cluster")
    return {name: key for kind in kinds for name, key in story.things("staging", kind).items()}
