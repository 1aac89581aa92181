"""Steps to production that several chapters share: through staging, an approval request, a decision in Slack."""

from __future__ import annotations

import copy
import time
from collections.abc import Container, Mapping

from bot.domain.policy import PATH
from bot.playground import sample
from bot.playground.slack.model import Message, OpenView
from bot.playground.tour.pull_page import PullPage
from bot.playground.tour.story import Story
from bot.playground.tour.text import modal_text, slack_text
from bot.playground.tour.updates import Updates
from bot.playground.world import CHANNEL, REPOSITORY

BUTTONS = ("modal:approve", "modal:reject")
SHORT_SOAK = ('soak = "3s"', 'soak = "1s"')
"""An edit of the policy that shortens the soak time."""


def change_policy(story: Story, summary: str, *edits: tuple[str, str], path: str = PATH) -> None:
    """Commit the sample's policy to main as carol, with each (old, new) text replaced. path: of another policy's file."""
    text = sample.files()[path].decode()
    for old, new in edits:
        if old not in text:
            raise ValueError(f"the sample's {path} has no {old!r}")
        text = text.replace(old, new)
    story.narrator.action("carol", "main", f"changes {path}: {summary}")
    story.world.github.commit_files(REPOSITORY, "main", {path: text}, author="carol", message=summary)


def apply_to_staging(story: Story, page: PullPage) -> None:
    """Wait for the plan, apply it to staging as the author, and wait until it is verified."""
    story.wait_for_plan(page, "staging")
    story.wait_for_reactions(page, story.comment(page, "/apply staging", author=page.author), "🚀")
    story.wait_for(
        "staging is applied and verified",
        lambda: page.row("staging")["State"].startswith("✅ applied"),
        lambda: page.status,
    )


def plan_production(story: Story, page: PullPage) -> None:
    """Plan production as Ann, and wait until the status comment shows that plan, and so people can read it."""
    story.wait_for_reactions(page, story.comment(page, "/plan prod"), "👍")
    story.wait_for(
        f"the plan of {page.head[:7]} for prod",
        lambda: (
            page.row("prod")["Planned"].startswith(page.head[:7]) and page.row("prod")["Next"] != "/plan prod"
        ),
        lambda: page.status,
    )


def request_production(story: Story, page: PullPage, text: str = "/apply prod") -> Message:
    """Request production as the author, and return the new approval request in Slack's channel."""
    known = {one.ts for one in _requests(story, page)}
    story.comment(page, text, author=page.author)
    return approval_request(story, page, known)


def approval_request(story: Story, page: PullPage, known: Container[str] = ()) -> Message:
    """Wait for the newest approval request in Slack's channel to have buttons, and return it.

    known: `ts` of older requests to ignore.
    """

    def look() -> Message | None:
        found = [one for one in _requests(story, page)[:1] if one.ts not in known]
        return next((one for one in found if one.button(BUTTONS[0])), None)

    found = story.wait_for(
        f"an approval request for #{page.number} in Slack #{CHANNEL}, with buttons",
        look,
        lambda: [slack_text(one) for one in _requests(story, page)],
    )
    return _copy(found)


def wait_for_decision(story: Story, page: PullPage, *words: str) -> None:
    """Wait until the newest approval requests, in the channel and in direct messages, have no buttons and say `words`."""

    def look() -> bool:
        newest = [
            _requests(story, page)[:1],
            *(_direct_requests(story, user)[:1] for user in ("bob", "carol")),
        ]
        messages = [one for found in newest for one in found]
        return bool(messages) and all(
            not any(one.button(name) for name in BUTTONS)
            and all(word.lower() in slack_text(one).lower() for word in words)
            for one in messages
        )

    def seen() -> list[str]:
        return [slack_text(one) for one in [*_requests(story, page), *_direct_requests(story, "bob")]]

    story.wait_for(f"the buttons are gone, and the messages say {' · '.join(words)}", look, seen)


def direct_request(story: Story, user: str) -> Message:
    """Wait for an approval request with buttons in the user's direct messages, and return the newest one."""
    found = story.wait_for(
        f"an approval request in {user}'s direct messages",
        lambda: next((one for one in _direct_requests(story, user) if one.button(BUTTONS[0])), None),
        lambda: [slack_text(one) for one in _direct_requests(story, user)],
    )
    return _copy(found)


def click(story: Story, user: str, message: Message, action: str, *expected: str, old: bool = False) -> str:
    """Click a button of a message.

    expected: words of an ephemeral answer to wait for, which is returned. old: click the button as it was in
    `message`, although Slack may no longer show it.
    """
    slack, label = story.world.slack, action.rpartition(":")[2].capitalize()
    place = "Slack, directly" if message.channel.startswith("D") else f"Slack #{CHANNEL}"
    story.narrator.action(user, place, f"clicks [{label}]" + (" on an outdated message" if old else ""))
    known = {one.ts for one in slack.ephemerals(user)}
    if old:
        button = message.button(action) or {}
        slack.forge_click(user, message.channel, message.ts, action, str(button["value"]))
    else:
        slack.click(user, message.channel, message.ts, action)

    def answers() -> list[str]:
        return [slack_text(one) for one in slack.ephemerals(user) if one.ts not in known]

    if not expected:
        return ""
    return story.wait_for(
        f"an answer that only {user} sees: {' · '.join(expected)}",
        lambda: next((text for text in answers() if all(word in text for word in expected)), ""),
        answers,
    )


def wait_for_modal(story: Story, user: str, *words: str) -> OpenView:
    """Wait until the modal in front of the user contains these words, and return it."""

    def look() -> OpenView | None:
        found = story.world.slack.modals(user)[-1:]
        return next((one for one in found if all(word in modal_text(one) for word in words)), None)

    found = story.wait_for(
        f"a modal with {' · '.join(words)}",
        look,
        lambda: [modal_text(one) for one in story.world.slack.modals(user)],
    )
    if found is None:
        raise RuntimeError("the modal was seen, and is gone")
    return found


def submit_modal(story: Story, user: str, view: OpenView, values: Mapping[str, str]) -> None:
    """Fill in a modal and submit it."""
    entered = ", ".join(values.values())
    story.narrator.action(user, "the modal", f"enters “{entered}” and clicks [{view.view['submit']['text']}]")
    story.world.slack.submit(user, view.id, dict(values))


def approve_by_review(story: Story, page: PullPage, author: str, *, commit: str = "") -> None:
    """Approve the pull request on GitHub.

    Waits a second first: GitHub reports reviews in whole seconds, so one in the same second as the plan would not count
    as later than it.
    """
    time.sleep(1)
    story.narrator.action(author, f"#{page.number}", "approves with a review")
    story.world.github.review(REPOSITORY, page.number, author=author, state="APPROVED", commit=commit)


def check_no_servers(story: Story, environment: str = "prod") -> None:
    """Check that nothing was created in an environment."""
    servers = story.resources(environment)
    story.check(f"the cloud of {environment} is empty", true=not servers, seen=servers)


def wait_until_applied(story: Story, page: PullPage, environment: str = "prod") -> None:
    """Wait until the status comment shows the environment as applied."""
    story.wait_for(
        f"{environment} is applied",
        lambda: "✅ applied" in page.row(environment)["State"],
        lambda: page.status,
    )


def _copy(message: Message | None) -> Message:
    """Return the message as it looks now, unaffected by later edits."""
    if message is None:
        raise RuntimeError("the message was seen, and is gone")
    return copy.deepcopy(message)


def _requests(story: Story, page: PullPage) -> list[Message]:
    """Return the channel's approval requests of a pull request, newest first."""
    found = [one for one in story.world.slack.messages(CHANNEL) if Updates.kind(one) == "approval"]
    return [one for one in reversed(found) if f"#{page.number} " in f"{one.text} "]


def _direct_requests(story: Story, user: str) -> list[Message]:
    """Return approval requests in a user's direct messages, newest first."""
    return [one for one in reversed(story.world.slack.direct(user)) if Updates.kind(one) == "approval"]
