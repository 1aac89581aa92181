"""Freeze windows: announced, enforced, and waited for."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from bot.playground.tour.production_steps import (
    apply_to_staging,
    change_policy,
    check_no_servers,
    click,
    plan_production,
    request_production,
    wait_until_applied,
)
from bot.playground.tour.pull_page import PullPage
from bot.playground.tour.registry import chapter
from bot.playground.tour.story import Story
from bot.playground.tour.text import plain

SOON = timedelta(seconds=5)
"""How much longer the freeze that is waited for lasts at least: time to plan, request and approve."""
NO_SOAK = ('soak = "3s"', "")


@chapter("freeze", "a freeze is announced, enforced and waited for", order=110)
def freeze(story: Story) -> None:
    opens = _minute(timedelta(hours=2))
    with story.step("A freeze of production starts in two hours, and /status announces it"):
        _set_freeze(story, "freeze production soon", "deny", opens, timedelta(hours=64), "weekend")
        page = story.propose("bigger-web")
        story.wait_for(
            "the status comment announces it",
            lambda: "freeze starts" in page.row("prod")["State"],
            lambda: page.status,
        )
        story.check_text(story.slash("bob", f"status #{page.number}"), "freeze starts")

    with story.step("Ann's change is on staging; production is frozen for two more hours"):
        start = datetime.now(UTC)
        _set_freeze(story, "allow production at certain times only", "allow", opens, timedelta(hours=1), "")
        apply_to_staging(story, page)
        story.wait_for(
            "prod is frozen", lambda: "frozen until" in page.row("prod")["State"], lambda: page.status
        )
        posted = request_production(story, page)
        click(story, "bob", posted, "modal:approve", "nothing else is needed")
        pace = datetime.now(UTC) - start

    with story.step("Although approved it is refused, with the end of the freeze and how to wait for it"):
        story.wait_for_reactions(page, story.comment(page, "/apply prod"), "👎")
        answer = story.wait_for("an answer", lambda: page.reply("is frozen"), lambda: page.replies)
        story.check_text(answer, f"frozen until {opens:%Y-%m-%d %H:%M} UTC", "/apply prod when-approved")
        check_no_servers(story)

    _wait_for_end(story, page, max(SOON, pace))


def _wait_for_end(story: Story, page: PullPage, soon: timedelta) -> None:
    """Wait for the end of a freeze. soon: at least the time that planning, requesting and approving take on this machine."""
    with story.step(
        "The current freeze ends soon; since the policy changed, a new plan and approval are needed"
    ):
        began = _minute(timedelta(minutes=-1))
        ends = datetime.now(UTC) + soon
        _set_freeze(story, "freeze production for a moment", "deny", began, ends - began, "load test")
        plan_production(story, page)
        posted = request_production(story, page, "/apply prod when-approved")
        click(story, "bob", posted, "modal:approve", "nothing else is needed")
        story.check("production is still frozen", true=datetime.now(UTC) < ends)
        story.wait_for(
            "it waits only for the end of the freeze",
            lambda: "applied automatically once nothing else blocks it" in plain(page.status),
            lambda: page.status,
        )
        story.check_text(page.row("prod")["State"], "frozen until")
        check_no_servers(story)

    with story.step("When the freeze ends, the apply starts automatically"):
        wait_until_applied(story, page)
        story.check("not before the end of the freeze", true=datetime.now(UTC) >= ends)
        story.check(
            "web exists", true=set(story.resources("prod")) == {"prod-web"}, seen=story.resources("prod")
        )


def _set_freeze(story: Story, what: str, kind: str, begin: datetime, length: timedelta, reason: str) -> None:
    """Change the policy so that production has one freeze window and no soak time. kind: deny or allow."""
    cron = f"{begin.minute} {begin.hour} {begin.day} {begin.month} *"
    why = f', reason = "{reason}"' if reason else ""
    window = f'freeze = [{{ {kind} = "{cron}", for = "{int(length.total_seconds())}s"{why} }}]\n'
    change_policy(story, what, NO_SOAK, ("promote_from", f"{window}promote_from"))


def _minute(ahead: timedelta) -> datetime:
    """Return the current time plus `ahead`, in full minutes."""
    return (datetime.now(UTC) + ahead).replace(second=0, microsecond=0)
