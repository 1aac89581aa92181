"""Steps of a revert that several chapters share: release, plan, approve, apply."""

from __future__ import annotations

from bot.playground.tour.production_steps import apply_to_staging
from bot.playground.tour.pull_page import PullPage
from bot.playground.tour.story import Story
from bot.playground.tour.text import plain


def release_to_staging(story: Story, page: PullPage, *changes: str) -> str:
    """Push these changes as the author, one commit each, apply them to staging, and return the latest commit."""
    for change in changes:
        story.push(page, change)
    apply_to_staging(story, page)
    return page.head


def plan_revert(story: Story, page: PullPage, commit: str, text: str = "/revert staging") -> str:
    """Plan a revert of staging to `commit`, and return the status comment's summary of it."""
    story.wait_for_reactions(page, story.comment(page, text), "👍")
    story.wait_for(
        "an answer", lambda: page.reply("Planning a revert of staging", commit[:7]), lambda: page.replies
    )
    story.wait_for(
        f"the plan of a revert to {commit[:7]}",
        lambda: (
            page.row("staging")["Next"].startswith("/revert staging")
            and page.row("staging")["Planned"].startswith(commit[:7])
        ),
        lambda: page.status,
    )
    text = "\n".join(map(plain, page.status.splitlines()))
    story.check_text(text, f"Reverting to {commit[:7]}:")
    return text[text.index("Reverting to") :]


def approve_revert(story: Story, page: PullPage, *, by: str = "bob") -> None:
    """Request the revert, and approve it as somebody else."""
    story.comment(page, "/revert staging")
    story.wait_for(
        "an approval request", lambda: page.reply("requests approval to revert staging"), lambda: page.replies
    )
    story.wait_for_reactions(page, story.comment(page, "/approve staging", author=by), "👍")


def apply_revert(story: Story, page: PullPage, commit: str, text: str = "/revert staging") -> str:
    """Apply the plan of a revert, and return the status comment, which compares the result with `commit`."""
    story.wait_for_reactions(page, story.comment(page, text), "🚀")

    def look() -> str:
        shown = "\n".join(map(plain, page.status.splitlines()))
        done = "✅ reverted" in page.row("staging")["State"] and "staging matches" in shown
        return shown if done else ""

    shown = story.wait_for("staging is reverted, and compared with the commit", look, lambda: page.status)
    story.check_text(shown, f"staging matches {commit[:7]}.")
    return shown


def all_resources(story: Story) -> dict[str, str]:
    """Return everything in staging's cloud, as name to id."""
    kinds = ("server", "dns_record", "cluster")
    return {name: key for kind in kinds for name, key in story.resources("staging", kind).items()}
