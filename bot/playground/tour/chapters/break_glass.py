"""Break-glass: what protects production is skipped, by those who may, in sight of everybody, and for the record."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from datetime import UTC, datetime, timedelta

from bot.playground.slack.model import Message
from bot.playground.tour.news import News
from bot.playground.tour.production import applied, click, rule, untouched
from bot.playground.tour.pull import PullPage
from bot.playground.tour.reading import plain, slack_text
from bot.playground.tour.registry import chapter
from bot.playground.tour.story import Story
from bot.playground.world import CHANNEL

REASON = "customers cannot log in"
FORCE = f"/apply prod --force {REASON}"


@chapter("break-glass", "production is forced: loud, acknowledged by another, and on the record", place=120)
def break_glass(story: Story) -> None:
    with story.step("Production is frozen, nothing is on staging, nobody has approved; its plan is there"):
        begin = datetime.now(UTC) - timedelta(minutes=1)
        window = (
            f'freeze = [{{ deny = "{begin.minute} {begin.hour} {begin.day} {begin.month} *", for = "9h" }}]\n'
        )
        rule(story, "frozen", ("promote_from", f"{window}promote_from"))
        page = story.propose("bigger-web")
        story.stands(page, "staging")
        story.reacts(page, story.say(page, "/plan prod"), "👍")

    with story.step("Ann may not force it, nor may Dave: the policy names Carol alone"):
        story.reacts(page, story.say(page, FORCE), "👎")
        answer = story.sees("an answer", lambda: page.reply("may be forced"), lambda: page.replies)
        story.reads(answer, "prod may be forced by @carol")
        story.reacts(page, story.say(page, FORCE, author="dave"), "👎")
        untouched(story)

    with story.step("Carol must say why"):
        story.reacts(page, story.say(page, "/apply prod --force", author="carol"), "👎")
        story.reads(story.sees("an answer", lambda: page.reply("needs its reason")), "/apply prod --force")
        untouched(story)

    with story.step("Carol forces it: exactly the plan that was read is applied"):
        story.reacts(page, story.say(page, FORCE, author="carol"), "🚀")
        applied(story, page)
        story.check("web is there", true=set(story.things("prod")) == {"prod-web"}, seen=story.things("prod"))

    _loud(story, page)
    _acknowledged(story, page)
    _recorded(story)


def _loud(story: Story, page: PullPage) -> None:
    with story.step("Every place says loudly that it was forced, by whom and why"):
        story.sees(
            "the status comment",
            lambda: all(word in plain(page.status) for word in ("FORCED by @carol", REASON)),
            lambda: page.status,
        )
        story.sees(
            "the check",
            lambda: all(word in _check(page) for word in ("Break-glass", "@carol", REASON)),
            lambda: _check(page),
        )
        told = [state["description"] for one in page.deployments("prod") for state in one["states"]]
        story.check("the deployment", true=any(REASON in text for text in told), seen=told)
        for kind in ("card", "follow_up"):
            _shown(story, kind, "FORCED", REASON)


def _acknowledged(story: Story, page: PullPage) -> None:
    posted = _shown(story, "follow_up", "Not yet acknowledged")

    with story.step("Carol cannot acknowledge her own; somebody else must"):
        click(story, "carol", posted, "acknowledge", "somebody else must acknowledge it")

    with story.step("Bob has looked at it, and stands by it"):
        click(story, "bob", posted, "acknowledge", "has acknowledged the apply to prod")
        message = _shown(story, "follow_up", "Acknowledged by @bob")
        story.check("no button is left", true=message.button("acknowledge") is None)
        story.sees(
            "the alarm is gone from the status comment",
            lambda: "not yet acknowledged" not in plain(page.status).lower(),
            lambda: page.status,
        )


def _recorded(story: Story) -> None:
    with story.step("The record proves itself, and has the reason"):
        proof = json.loads(_audit(story, "verify", "--json"))
        story.check("no entry was changed", true=proof["ok"] and proof["entries"] > 0, seen=proof)
        entries = [json.loads(line) for line in _audit(story, "export").splitlines()]
        forced = [one for one in entries if REASON in json.dumps(one["facts"])]
        actions = [(one["action"], one["login"]) for one in forced]
        story.check("who forced it, and why", true=("apply.forced", "carol") in actions, seen=actions)
        story.check("who stood by it", true=("force.acknowledged", "bob") in actions, seen=actions)
        story.check("all entries are in it", true=len(entries) == proof["entries"], seen=len(entries))


def _audit(story: Story, *words: str) -> str:
    """What the operator reads of `towpath audit …`."""
    story.narrator.said("an operator", "the machine", f"towpath audit {' '.join(words)}")
    command = [sys.executable, "-m", "bot", "audit", *words]
    environment = story.world.environment() | {"PATH": os.environ.get("PATH", "")}
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    story.check(f"towpath audit {words[0]} succeeds", true=done.returncode == 0, seen=done.stderr)
    return done.stdout


def _check(page: PullPage) -> str:
    """All that the check of the gate to production reads."""
    check = page.check("gate/prod")
    return plain(f"{check.get('title', '')}\n{check.get('summary', '')}")


def _shown(story: Story, kind: str, *words: str) -> Message:
    """The newest message of a kind in Slack's channel, once it has these words."""

    def look() -> Message | None:
        found = [one for one in story.world.slack.messages(CHANNEL) if News.kind(one) == kind]
        return next((one for one in found[-1:] if all(word in slack_text(one) for word in words)), None)

    message = story.sees(
        f"Slack's {kind} with {' · '.join(words)}",
        look,
        lambda: [slack_text(one) for one in story.world.slack.messages(CHANNEL)],
    )
    if message is None:
        raise RuntimeError("seen, and not there")
    return message
