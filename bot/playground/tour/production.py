"""The way to production, as the chapters about it go it: through staging, asked for, answered in Slack."""

from __future__ import annotations

import copy
import time
from collections.abc import Container, Mapping

from bot.domain.policy import PATH
from bot.playground import sample
from bot.playground.slack.model import Message, OpenView
from bot.playground.tour.news import News
from bot.playground.tour.pull import PullPage
from bot.playground.tour.reading import modal_text, slack_text
from bot.playground.tour.story import Story
from bot.playground.world import CHANNEL, REPOSITORY

BUTTONS = ("modal:approve", "modal:reject")
SOAK = ('soak = "3s"', 'soak = "1s"')
"""An edit of the policy, for those who have no time."""


def rule(story: Story, what: str, *edits: tuple[str, str]) -> None:
    """Carol commits the sample's policy to main, with these texts replaced by others; `what`: what it says now."""
    text = sample.files()[PATH].decode()
    for old, new in edits:
        if old not in text:
            raise ValueError(f"the sample's policy has no {old!r}")
        text = text.replace(old, new)
    story.narrator.said("carol", "main", f"changes {PATH}: {what}")
    story.world.github.commit_files(REPOSITORY, "main", {PATH: text}, author="carol", message=what)


def staged(story: Story, page: PullPage) -> None:
    """The pull request is planned, and its author applies it to staging, up to its verification."""
    story.stands(page, "staging")
    story.reacts(page, story.say(page, "/apply staging", author=page.author), "🚀")
    story.sees(
        "staging is applied and verified",
        lambda: page.row("staging")["State"].startswith("✅ applied"),
        lambda: page.status,
    )


def ask(story: Story, page: PullPage, text: str = "/apply prod") -> Message:
    """Its author asks for production; returns the new question in Slack's channel once it can be answered."""
    known = {one.ts for one in _questions(story, page)}
    story.say(page, text, author=page.author)
    return question(story, page, known)


def question(story: Story, page: PullPage, known: Container[str] = ()) -> Message:
    """The newest question about the pull request in Slack's channel, once it can be answered. known: `ts` of those
    that are not meant."""

    def look() -> Message | None:
        found = [one for one in _questions(story, page)[:1] if one.ts not in known]
        return next((one for one in found if one.button(BUTTONS[0])), None)

    found = story.sees(
        f"Slack #{CHANNEL} is asked about #{page.number}, with buttons",
        look,
        lambda: [slack_text(one) for one in _questions(story, page)],
    )
    return _copy(found)


def answered(story: Story, page: PullPage, *words: str) -> None:
    """No question about the pull request has buttons any more, in the channel or in a direct message; the newest ones
    have these words."""

    def over() -> bool:
        newest = [_questions(story, page)[:1], *(_directs(story, user)[:1] for user in ("bob", "carol"))]
        told = [one for found in newest for one in found]
        return bool(told) and all(
            not any(one.button(name) for name in BUTTONS)
            and all(word.lower() in slack_text(one).lower() for word in words)
            for one in told
        )

    def seen() -> list[str]:
        return [slack_text(one) for one in [*_questions(story, page), *_directs(story, "bob")]]

    story.sees(f"the buttons are gone, and the messages say {' · '.join(words)}", over, seen)


def direct(story: Story, user: str) -> Message:
    """The newest direct message with a question that `user` can answer."""
    found = story.sees(
        f"{user} is asked directly, too",
        lambda: next((one for one in _directs(story, user) if one.button(BUTTONS[0])), None),
        lambda: [slack_text(one) for one in _directs(story, user)],
    )
    return _copy(found)


def click(story: Story, user: str, message: Message, action: str, *told: str, old: bool = False) -> str:
    """`user` presses a button of a message. told: words that they alone read then, in one answer, which is returned.
    old: press it as it was in `message`, though it may be gone from Slack."""
    slack, label = story.world.slack, action.rpartition(":")[2].capitalize()
    place = "Slack, directly" if message.channel.startswith("D") else f"Slack #{CHANNEL}"
    story.narrator.said(user, place, f"clicks [{label}]" + (" on a message of before" if old else ""))
    known = {one.ts for one in slack.ephemerals(user)}
    if old:
        button = message.button(action) or {}
        slack.forge_click(user, message.channel, message.ts, action, str(button["value"]))
    else:
        slack.click(user, message.channel, message.ts, action)

    def heard() -> list[str]:
        return [slack_text(one) for one in slack.ephemerals(user) if one.ts not in known]

    if not told:
        return ""
    return story.sees(
        f"{user} alone reads: {' · '.join(told)}",
        lambda: next((text for text in heard() if all(word in text for word in told)), ""),
        heard,
    )


def modal(story: Story, user: str, *words: str) -> OpenView:
    """The window in front of `user`, once it has these words."""

    def look() -> OpenView | None:
        found = story.world.slack.modals(user)[-1:]
        return next((one for one in found if all(word in modal_text(one) for word in words)), None)

    found = story.sees(
        f"a window with {' · '.join(words)}",
        look,
        lambda: [modal_text(one) for one in story.world.slack.modals(user)],
    )
    if found is None:
        raise RuntimeError("seen, and not there")
    return found


def submit(story: Story, user: str, view: OpenView, values: Mapping[str, str]) -> None:
    """`user` fills the window in and presses its button."""
    told = ", ".join(values.values())
    story.narrator.said(user, "the window", f"enters “{told}” and presses [{view.view['submit']['text']}]")
    story.world.slack.submit(user, view.id, dict(values))


def reviews(story: Story, page: PullPage, author: str, *, commit: str = "") -> None:
    """`author` approves on GitHub, having read the plan for a second: GitHub tells of reviews in whole seconds, so that
    one of the plan's own second is not known to be of after it."""
    time.sleep(1)
    story.narrator.said(author, f"#{page.number}", "approves, by a review")
    story.world.github.review(REPOSITORY, page.number, author=author, state="APPROVED", commit=commit)


def untouched(story: Story, environment: str = "prod") -> None:
    """Nothing was built there."""
    story.check(
        f"the cloud of {environment} is empty",
        true=not story.things(environment),
        seen=story.things(environment),
    )


def applied(story: Story, page: PullPage, environment: str = "prod") -> None:
    """The status comment says that it is applied."""
    story.sees(
        f"{environment} is applied",
        lambda: "✅ applied" in page.row(environment)["State"],
        lambda: page.status,
    )


def _copy(message: Message | None) -> Message:
    """As it is on somebody's screen now, whatever becomes of it."""
    if message is None:
        raise RuntimeError("seen, and not there")
    return copy.deepcopy(message)


def _questions(story: Story, page: PullPage) -> list[Message]:
    """The channel's questions about the pull request, the newest first."""
    found = [one for one in story.world.slack.messages(CHANNEL) if News.kind(one) == "approval"]
    return [one for one in reversed(found) if f"#{page.number} " in f"{one.text} "]


def _directs(story: Story, user: str) -> list[Message]:
    """Questions asked directly, the newest first."""
    return [one for one in reversed(story.world.slack.direct(user)) if News.kind(one) == "approval"]
