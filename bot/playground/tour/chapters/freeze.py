"""Freeze windows: seen before anybody runs into one, respected, and waited for."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from bot.playground.tour.production import (
    applied,
    ask,
    click,
    rule,
    staged,
    untouched,
)
from bot.playground.tour.pull import PullPage
from bot.playground.tour.reading import plain
from bot.playground.tour.registry import chapter
from bot.playground.tour.story import Story

SOON = timedelta(seconds=5)
"""How long the freeze still lasts that is waited for, at least: time to plan, to ask and to approve."""
UNGUARDED = ('soak = "3s"', "")


@chapter("freeze", "a freeze is announced, holds, and is waited for", place=110)
def freeze(story: Story) -> None:
    opens = _minute(timedelta(hours=2))
    with story.step(
        "A freeze of production begins in two hours: /status says so before anybody runs into it"
    ):
        _frozen(story, "freezes soon", "deny", opens, timedelta(hours=64), "weekend")
        page = story.propose("bigger-web")
        story.sees(
            "the status comment announces it",
            lambda: "freezes" in page.row("prod")["State"],
            lambda: page.status,
        )
        story.reads(story.slash("bob", f"status #{page.number}"), "freezes")

    with story.step("Ann's change is on staging; production opens only in two hours"):
        start = datetime.now(UTC)
        _frozen(story, "open at certain times", "allow", opens, timedelta(hours=1), "")
        staged(story, page)
        story.sees("prod is frozen", lambda: "frozen until" in page.row("prod")["State"], lambda: page.status)
        posted = ask(story, page)
        click(story, "bob", posted, "modal:approve", "that is all it needed")
        pace = datetime.now(UTC) - start

    with story.step("Approved or not, it is refused, until when is said, and how to wait for it"):
        story.reacts(page, story.say(page, "/apply prod"), "👎")
        answer = story.sees("an answer", lambda: page.reply("is frozen"), lambda: page.replies)
        story.reads(answer, f"frozen until {opens:%Y-%m-%d %H:%M} UTC", "/apply prod when-approved")
        untouched(story)

    _waits(story, page, max(SOON, pace))


def _waits(story: Story, page: PullPage, soon: timedelta) -> None:
    """soon: how long planning, asking and approving take on this machine, and longer."""
    with story.step(
        "A freeze that is on now, and ends soon: another policy makes the plan and its consent old"
    ):
        began = _minute(timedelta(minutes=-1))
        ends = datetime.now(UTC) + soon
        _frozen(story, "frozen for a moment", "deny", began, ends - began, "load test")
        story.reacts(page, story.say(page, "/plan prod"), "👍")
        posted = ask(story, page, "/apply prod when-approved")
        click(story, "bob", posted, "modal:approve", "that is all it needed")
        story.check("the freeze is still on", true=datetime.now(UTC) < ends)
        story.sees(
            "it waits for the end of it, and for nothing else",
            lambda: "applied by itself as soon as nothing else holds it" in plain(page.status),
            lambda: page.status,
        )
        story.reads(page.row("prod")["State"], "frozen until")
        untouched(story)

    with story.step("When it is over, the apply goes by itself"):
        applied(story, page)
        story.check("not before", true=datetime.now(UTC) >= ends)
        story.check("web is there", true=set(story.things("prod")) == {"prod-web"}, seen=story.things("prod"))


def _frozen(story: Story, what: str, kind: str, begin: datetime, length: timedelta, reason: str) -> None:
    """A policy whose only rules for production are its consent and one freeze window."""
    cron = f"{begin.minute} {begin.hour} {begin.day} {begin.month} *"
    why = f', reason = "{reason}"' if reason else ""
    window = f'freeze = [{{ {kind} = "{cron}", for = "{int(length.total_seconds())}s"{why} }}]\n'
    rule(story, what, UNGUARDED, ("promote_from", f"{window}promote_from"))


def _minute(ahead: timedelta) -> datetime:
    """The full minute that is so far from now."""
    return (datetime.now(UTC) + ahead).replace(second=0, microsecond=0)
