"""Freeze windows, break-glass, and what it leaves to do."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from bot.playground.world import World, until
from tests.story.holds import Holds
from tests.story.production import APPROVALS, CHANNEL, Production, other

ALWAYS = 'freeze = [{ deny = "* * * * *", for = "2h", reason = "the fair" }]'
FORCE = 'force = { users = ["carol", "bob"] }'


def elsewhen() -> str:
    """A cron expression of a day that is half a year away."""
    day = datetime.now(UTC) + timedelta(days=180)
    return f"0 0 1 {day.month} *"


def test_frozen_now(world: World, holds: Holds) -> None:
    """No apply: people read it beforehand, may be asked meanwhile, and it goes by itself as soon as the freeze ends."""
    story = Production(world, holds, prod=f"{APPROVALS}\n{ALWAYS}")
    number = story.promoted()
    story.sees(number, "frozen")
    story.asks(number, "when-approved")
    story.accepted(number, "/approve prod", "nothing else is needed")
    story.refused(number, "/apply prod", "is frozen", "the fair")
    assert not story.on_prod()
    policy = story.policy.replace(ALWAYS, "")
    story.push({"envs/environments.toml": policy.encode()}, "main", author="carol")
    story.over(number, "dead", "policy")  # the plan was made under another one
    story.reacted(number, story.say(number, "/plan prod"), "+1")
    story.planned(number, "prod")
    story.asks(number, "when-approved")
    story.accepted(number, "/approve prod", "nothing else is needed")
    story.awaits_prod()
    story.is_sound()


def test_allowed_at_other_times_only(world: World, holds: Holds) -> None:
    """An allow window that is not open freezes too; staging, without windows, goes on."""
    prod = f'approvals = {{ count = 0 }}\nfreeze = [{{ allow = "{elsewhen()}", for = "1h", reason = "the yearly hour" }}]'
    story = Production(world, holds, prod=prod)
    number = story.promoted()
    story.say(number, "/apply prod")
    story.planned(number, "prod")
    story.refused(number, "/apply prod", "frozen until", "when-approved")
    story.is_sound()


def test_plans_that_are_frozen(world: World, holds: Holds) -> None:
    """A window about plans stops plans, and no apply of one that is there."""
    window = 'freeze = [{ deny = "* * * * *", for = "2h", actions = ["plan"] }]'
    story = Production(world, holds, prod=f"approvals = {{ count = 0 }}\n{window}")
    number = story.promoted()
    story.refused(number, "/plan prod", "Plans for", "frozen")
    story.refused(number, "/apply prod", "Plans for", "frozen")
    assert not [run for run in story.runs("plan") if run.target.environment == "prod"]
    story.is_sound()


def test_a_break_glass(world: World, holds: Holds) -> None:
    """By those whom the policy names, with a plan that was read; it skips staging, the freeze and consent, loudly, and
    somebody else must stand by it, once."""
    story = Production(world, holds, prod=f"approvals = {{ count = 1 }}\n{FORCE}\n{ALWAYS}")
    number = story.propose()
    story.planned(number)
    story.refused(
        number, "/apply prod --force the pager is ringing", "Only @bob or @carol can force changes to `prod`"
    )
    story.refused(number, "/apply prod --force", "needs a reason", author="carol")
    told = story.refused(
        number, "/apply prod --force the pager is ringing", "Nobody has read a plan", author="carol"
    )
    assert "--force" in told
    story.planned(number, "prod")
    assert not story.on_prod()
    comment = story.say(number, "/apply prod --force the pager is ringing", "carol")
    story.reacted(number, comment, "rocket")
    run = story.on_prod()[-1]
    assert (run.forced, run.approval) == ("the pager is ringing", "")
    story.sees(number, "FORCED by")
    (entry,) = story.audit("apply.forced")
    assert entry.facts["skipped"] == ["Promoted", "NotFrozen", "Approved"]
    assert entry.login == "carol"
    with story.tables() as tables:
        (left,) = tables.follow_ups.open(target=story.target("prod"))
    slack = world.slack
    posted = until(
        lambda: next((one for one in slack.messages(CHANNEL) if one.button("acknowledge")), None),
        what="the message in Slack",
    )
    assert posted is not None
    assert "the pager is ringing" in str(posted.blocks)
    story.refused(number, "/acknowledge prod", "somebody else must acknowledge it", author="carol")
    slack.click("carol", CHANNEL, posted.ts, "acknowledge")
    until(
        lambda: any("somebody else" in one.text for one in slack.ephemerals("carol")), what="carol's refusal"
    )
    with story.tables() as tables:
        assert tables.follow_ups.open(target=story.target("prod")) == [left]
    slack.click("bob", CHANNEL, posted.ts, "acknowledge")
    slack.delivery.resend_last()
    until(lambda: story.audit("force.acknowledged"), what="the acknowledgement")
    story.accepted(number, "/acknowledge prod", "No forced apply", author="bob")
    until(lambda: posted.button("acknowledge") is None, what="a message without its button")
    assert [one.login for one in story.audit("force.acknowledged")] == ["bob"]
    until(lambda: "FORCED by" not in story.status(number), what="a status that is quiet again")
    story.is_sound()


def test_what_force_does_not_skip(world: World, holds: Holds) -> None:
    """The exact plan, the lock, the head: all the same for those who may force."""
    story = Production(world, holds, prod=f"approvals = {{ count = 1 }}\n{FORCE}")
    number = story.propose()
    story.planned(number)
    story.refused(number, "/apply prod --force now", "Nobody has read a plan", author="carol")
    story.planned(number, "prod")
    story.reacted(number, story.say(number, "/lock prod a test goes on", "bob"), "+1")
    story.refused(number, "/apply prod --force now", "is locked by", author="carol")
    story.reacted(number, story.say(number, "/unlock prod", "bob"), "+1")
    story.push("larger", story.branch(number))
    before = len(story.answers(number))
    story.reacted(number, story.say(number, "/apply prod --force now", "carol"), "-1")
    story.hears(number, before, "Nobody has read a plan")  # of the new head
    story.planned(number)
    story.planned(number, "prod")
    comment = story.say(number, "/apply prod --force now", "carol")
    story.reacted(number, comment, "rocket")
    story.refused(number, "/apply prod --force now", "already applied", author="carol")
    assert len(story.on_prod()) == 1
    story.is_sound()


def test_force_ends_the_question(world: World, holds: Holds) -> None:
    """People who are asked meanwhile are not asked any more; what was asked `when-approved` is not applied after it."""
    story = Production(world, holds)
    number = story.promoted(other("large"))
    story.asks(number, "when-approved")
    comment = story.say(number, "/apply prod --force the pager is ringing", "carol")
    story.reacted(number, comment, "rocket")
    story.over(number, "dead", "by force")
    story.refused(number, "/approve prod", "is no longer valid", author="bob")
    until(
        lambda: not [one for one in world.slack.messages(CHANNEL) if one.button("modal:approve")],
        what="no button to approve it by",
    )
    assert len(story.on_prod()) == 1
    story.is_sound()
