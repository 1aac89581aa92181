"""Break-glass: permitted people skip the gates of production, visibly and on record."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from datetime import UTC, datetime, timedelta

from bot.playground.slack.model import Message
from bot.playground.tour.production_steps import (
    change_policy,
    check_no_servers,
    click,
    plan_production,
    wait_until_applied,
)
from bot.playground.tour.pull_page import PullPage
from bot.playground.tour.registry import chapter
from bot.playground.tour.story import Story
from bot.playground.tour.text import plain, slack_text
from bot.playground.tour.updates import Updates
from bot.playground.world import CHANNEL

REASON = "customers cannot log in"
FORCE = f"/apply prod --force {REASON}"


@chapter("break-glass", "an apply to production is forced, announced, acknowledged and recorded", order=120)
def break_glass(story: Story) -> None:
    with story.step("Production is frozen, nothing is on staging, and nobody has approved; it is planned"):
        begin = datetime.now(UTC) - timedelta(minutes=1)
        window = (
            f'freeze = [{{ deny = "{begin.minute} {begin.hour} {begin.day} {begin.month} *", for = "9h" }}]\n'
        )
        change_policy(story, "freeze production", ("promote_from", f"{window}promote_from"))
        page = story.propose("bigger-web")
        story.wait_for_plan(page, "staging")
        plan_production(story, page)

    with story.step("Neither Ann nor Dave may force it: the policy allows only Carol"):
        story.wait_for_reactions(page, story.comment(page, FORCE), "👎")
        answer = story.wait_for("an answer", lambda: page.reply("can force changes to"), lambda: page.replies)
        story.check_text(answer, "Only @carol can force changes to prod")
        story.wait_for_reactions(page, story.comment(page, FORCE, author="dave"), "👎")
        check_no_servers(story)

    with story.step("Carol must give a reason"):
        story.wait_for_reactions(page, story.comment(page, "/apply prod --force", author="carol"), "👎")
        story.check_text(
            story.wait_for("an answer", lambda: page.reply("needs a reason")), "/apply prod --force"
        )
        check_no_servers(story)

    with story.step("Carol forces it, and the reviewed plan is applied"):
        story.wait_for_reactions(page, story.comment(page, FORCE, author="carol"), "🚀")
        wait_until_applied(story, page)
        story.check(
            "web exists", true=set(story.resources("prod")) == {"prod-web"}, seen=story.resources("prod")
        )

    _announced(story, page)
    _acknowledged(story, page)
    _recorded(story)


def _announced(story: Story, page: PullPage) -> None:
    with story.step("Every surface shows that it was forced, by whom and why"):
        story.wait_for(
            "the status comment",
            lambda: all(word in plain(page.status) for word in ("FORCED by @carol", REASON)),
            lambda: page.status,
        )
        story.wait_for(
            "the check",
            lambda: all(word in _check(page) for word in ("Break-glass", "@carol", REASON)),
            lambda: _check(page),
        )
        descriptions = [state["description"] for one in page.deployments("prod") for state in one["states"]]
        story.check("the deployment", true=any(REASON in text for text in descriptions), seen=descriptions)
        for kind in ("card", "follow_up"):
            _shown(story, kind, "FORCED", REASON)


def _acknowledged(story: Story, page: PullPage) -> None:
    posted = _shown(story, "follow_up", "Not yet acknowledged")

    with story.step("Carol cannot acknowledge her own forced apply"):
        click(story, "carol", posted, "acknowledge", "somebody else must acknowledge it")

    with story.step("Bob reviews and acknowledges it"):
        click(story, "bob", posted, "acknowledge", "forced apply to prod")
        message = _shown(story, "follow_up", "Acknowledged by @bob")
        story.check("no button is left", true=message.button("acknowledge") is None)
        story.wait_for(
            "the warning is gone from the status comment",
            lambda: "not yet acknowledged" not in plain(page.status).lower(),
            lambda: page.status,
        )


def _recorded(story: Story) -> None:
    with story.step("The audit log is intact and contains the reason"):
        proof = json.loads(_audit(story, "verify", "--json"))
        story.check("no entry was changed", true=proof["ok"] and proof["entries"] > 0, seen=proof)
        entries = [json.loads(line) for line in _audit(story, "export").splitlines()]
        forced = [one for one in entries if REASON in json.dumps(one["facts"])]
        actions = [(one["action"], one["login"]) for one in forced]
        story.check("who forced it, and why", true=("apply.forced", "carol") in actions, seen=actions)
        story.check("who acknowledged it", true=("force.acknowledged", "bob") in actions, seen=actions)
        story.check("the export has all entries", true=len(entries) == proof["entries"], seen=len(entries))


def _audit(story: Story, *words: str) -> str:
    """Run `towpath audit …` as the operator and return its output."""
    story.narrator.action("an operator", "the machine", f"towpath audit {' '.join(words)}")
    command = [sys.executable, "-m", "bot", "audit", *words]
    environment = story.world.environment() | {"PATH": os.environ.get("PATH", "")}
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    story.check(f"towpath audit {words[0]} succeeds", true=done.returncode == 0, seen=done.stderr)
    return done.stdout


def _check(page: PullPage) -> str:
    """Return title and summary of the gate check of production."""
    check = page.check("gate/prod")
    return plain(f"{check.title}\n{check.summary}")


def _shown(story: Story, kind: str, *words: str) -> Message:
    """Wait until the newest message of a kind in Slack's channel contains these words, and return it."""

    def look() -> Message | None:
        found = [one for one in story.world.slack.messages(CHANNEL) if Updates.kind(one) == kind]
        return next((one for one in found[-1:] if all(word in slack_text(one) for word in words)), None)

    message = story.wait_for(
        f"Slack's {kind} with {' · '.join(words)}",
        look,
        lambda: [slack_text(one) for one in story.world.slack.messages(CHANNEL)],
    )
    if message is None:
        raise RuntimeError("the message was seen, and is gone")
    return message
