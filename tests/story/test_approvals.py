"""ApprovalRules: whose word counts, for which plan, how often; and what is no consent at all."""

from __future__ import annotations

import json

import pytest

from bot.playground.world import World, until
from tests.fixtures.world import Share
from tests.story.holds import Holds
from tests.story.production import CHANNEL, Production, at_once, other
from tests.story.test_slack import whispered

OWNED = 'approvals = { count = 0, codeowners = true, expires = "1h" }'
TWO = 'approvals = { count = 2, expires = "1h" }'
TEAM = 'approvals = { count = 1, teams = ["acme/platform"], expires = "1h" }'
MORE = '\nresource "terraform_data" "more" {\n  input = "MORE"\n}\n'


def test_one_persons_click_and_anothers_in_the_same_moment(world: World, holds: Holds) -> None:
    """Two people on one message at once, each delivered three times: two decisions, and one apply."""
    story = Production(world, holds, prod=TWO)
    number = story.promoted()
    story.asks(number, "when-approved")
    posted, slack = story.asked_in_slack(number), world.slack
    value = json.loads(posted.button("modal:approve")["value"])  # type: ignore[index]
    assert set(value) == {"a", "d", "s"}
    slack.click("bob", CHANNEL, posted.ts, "modal:approve")
    slack.delivery.resend_last()
    slack.delivery.resend_last()
    story.decided(number, ("bob", "approve"))
    assert not story.on_prod()
    at_once(
        lambda: slack.click("carol", CHANNEL, posted.ts, "modal:approve"),
        lambda: story.review(number, "bob"),
        lambda: story.say(number, "/approve prod", "carol"),
    )
    run = story.awaits_prod()
    used = story.over(number, "used")
    assert run.approval == used.id
    slack.forge_click("carol", CHANNEL, posted.ts, "modal:approve", json.dumps(value))
    whispered(story, "carol", "was used")
    until(lambda: posted.button("modal:approve") is None, what="a message without buttons")
    assert len(story.on_prod()) == 1
    decided = [(one.login, one.facts["decision"]) for one in story.audit("approval.decided")]
    assert len(decided) == len(set(decided))
    assert len([login for login, word in decided if login == "bob" and not word.startswith("review")]) == 1
    story.is_sound()


def test_two_platforms_in_the_same_moment(world: World, holds: Holds) -> None:
    """One approves on GitHub and one in Slack: both words are kept, the apply is made once, and nobody's is lost."""
    story = Production(world, holds, prod=TWO)
    number = story.promoted()
    story.asks(number, "when-approved")
    posted = story.asked_in_slack(number)
    until(story.passed_a_second, what="the next second")
    at_once(
        lambda: story.review(number, "bob"),
        lambda: world.slack.click("carol", CHANNEL, posted.ts, "modal:approve"),
    )
    story.awaits_prod()
    assert sorted(story.decisions(number)) == [("bob", "approve"), ("carol", "approve")]
    (started,) = [one for one in story.audit("apply.started") if one.target == story.target("prod").key]
    (ground,) = [gate["ground"] for gate in started.facts["gates"] if gate["gate"] == "Approved"]
    assert "@bob (github)" in ground
    assert "@carol (slack)" in ground
    story.is_sound()


def test_an_old_message(world: World, holds: Holds) -> None:
    """A click on the message of plan A after a replan, and of commit A after a push, does nothing for what is shown
    now; nor does a value whose digest is of another plan."""
    story = Production(world, holds)
    number = story.promoted()
    first = story.asks(number)
    posted, slack = story.asked_in_slack(number), world.slack
    value = str(posted.button("modal:approve")["value"])  # type: ignore[index]
    until(story.passed_a_second, what="the next second")  # two plans of one second are the same to the byte
    story.reacted(number, story.say(number, "/plan prod"), "+1")
    assert story.over(number, "dead", "planned again").id == first.id
    slack.forge_click("bob", CHANNEL, posted.ts, "modal:approve", value)
    whispered(story, "bob", "is no longer valid: it was planned again")
    second = story.asks(number)
    mixed = json.dumps({"a": second.id, "d": first.plan_digest[:16]})
    slack.forge_click("bob", CHANNEL, posted.ts, "modal:approve", mixed)
    whispered(story, "bob", "is not the one waiting for approval now")
    story.push("larger", story.branch(number))
    story.over(number, "dead", "was pushed since")
    old = json.dumps({"a": second.id, "d": second.plan_digest[:16]})
    slack.forge_click("bob", CHANNEL, posted.ts, "modal:approve", old)
    whispered(story, "bob", "was pushed since")
    story.refused(number, "/approve prod", "was pushed since", author="bob")
    assert all(not story.decisions_of(one) for one in story.approvals(number))
    assert not story.on_prod()
    story.is_sound()


def test_forged_clicks(world: World, holds: Holds) -> None:
    """Ids that are nobody's, another repository's approval by somebody without access there, an unlinked user, and
    a user of another workspace (Slack Connect) with the id of one who is linked here."""
    story = Production(world, holds)
    number = story.promoted()
    asked = story.asks(number)
    slack = world.slack
    ts = story.asked_in_slack(number).ts
    value = json.dumps({"a": asked.id, "d": asked.plan_digest[:16]})
    slack.click("dave", CHANNEL, ts, "modal:approve")
    whispered(story, "dave", "Your Slack account isn't linked to GitHub")
    elsewhere = {"id": "U0BOB", "username": "bob", "name": "bob", "team_id": "T0OTHER"}
    slack.forge_click("bob", CHANNEL, ts, "modal:approve", value, user=elsewhere)
    whispered(story, "bob", "your account belongs to another one")
    nobodys = json.dumps({"a": "0" * 20, "d": "0" * 16})
    slack.forge_click("bob", CHANNEL, ts, "modal:approve", nobodys)
    whispered(story, "bob", "This approval no longer exists")
    slack.forge_click("bob", CHANNEL, ts, "acknowledge", json.dumps({"f": "0" * 20}))
    whispered(story, "bob", "This forced apply no longer exists")
    for bad in ("", "{", "[]", '{"a": 7, "d": []}', json.dumps({"a": asked.id}), '{"a": "../x", "d": "0"}'):
        assert slack.forge_click("bob", CHANNEL, ts, "modal:approve", bad).status == 200
        assert slack.forge_click("bob", CHANNEL, ts, "modal:reject", bad).status == 200
    story.github.set_role(story.repository, "bob", "none")
    slack.forge_click("bob", CHANNEL, ts, "modal:approve", value)
    whispered(story, "bob", "no access to this repository")
    story.github.set_role(story.repository, "bob", "read")
    story.refused(number, "/approve prod", "`write` role", author="bob")
    story.refused(number, "/reject prod no", "`write` role", author="bob")
    assert story.decisions(number) == []
    assert not story.on_prod()
    story.is_sound()


def test_ones_own_change(world: World, holds: Holds) -> None:
    """Neither who asks, nor who opened the pull request, nor who wrote its commit approves: on no platform."""
    story = Production(world, holds)
    number = story.propose(author="ann")
    story.push("larger", story.branch(number), author="carol")
    story.planned(number)
    story.on_staging(number)
    story.asks(number, author="bob")
    slack, ts = world.slack, story.asked_in_slack(number).ts
    for author in ("ann", "bob", "carol"):
        story.refused(
            number,
            "/approve prod",
            f"@{author} requested this apply, opened #{number}, or wrote or pushed one of its commits",
            author=author,
        )
        slack.click(author, CHANNEL, ts, "modal:approve")
        whispered(story, author, "needs approval from someone else")
    until(story.passed_a_second, what="the next second")
    for author in ("bob", "carol"):
        story.review(number, author)
    story.decided(number, ("bob", "approve"), ("carol", "approve"))
    story.refused_or_asked(number, "/apply prod")
    assert not story.on_prod()
    story.github.set_role(story.repository, "erin", "write")
    story.review(number, "erin")
    story.is_told(number, "is approved")
    story.goes(number)
    story.is_sound()


def test_reviews(world: World, holds: Holds) -> None:
    """Before the plan, of an older head, dismissed: none counts. Changes requested ends it; asking again works, and
    the newest word counts; a review after the plan and before the question counts."""
    story = Production(world, holds)
    number = story.propose()
    early = story.head(number)
    story.review(number, "bob")
    story.push("larger", story.branch(number))
    story.planned(number)
    story.on_staging(number)
    story.review(number, "bob")
    story.asks(number)
    until(story.passed_a_second, what="the next second")
    story.review(number, "bob", commit=early)
    one = story.review(number, "carol")
    story.decided(number, ("carol", "approve"))
    story.github.dismiss_review(story.repository, number, one, actor="ann")
    story.decided(number, ("carol", "withdraw"))
    story.refused_or_asked(number, "/apply prod")
    assert not story.on_prod()
    story.review(number, "bob", "CHANGES_REQUESTED")
    story.over(number, "rejected", "@bob rejected it")
    assert story.on_prod() == []
    until(story.passed_a_second, what="the next second")
    story.review(number, "bob")
    story.goes(number)  # the review of this head came after the plan: nothing is left to ask for
    assert story.decisions(number)[-1] == ("bob", "approve")
    story.is_sound()


def test_a_rejection_that_only_an_apply_sees(world: World, holds: Holds) -> None:
    """GitHub's webhook is late. The apply asks GitHub itself: it is refused, told, recorded, and can be asked again."""
    story = Production(world, holds)
    number = story.promoted()
    story.asks(number)
    story.accepted(number, "/approve prod", "nothing else is needed")
    until(story.passed_a_second, what="the next second")
    story.github.webhooks.drain()
    story.github.webhooks.hold()
    story.review(number, "carol", "CHANGES_REQUESTED")
    world.slack.slash("ann", CHANNEL, f"apply prod {story.repository}#{number}")
    story.over(number, "rejected", "@carol rejected it")
    story.is_told(number, "@carol rejected")
    story.github.webhooks.release()
    story.github.webhooks.drain()
    words = [(one.login, one.facts["answer"]) for one in story.audit("approval.decided")]
    assert words == [("bob", "approve"), ("carol", "reject")]
    assert not story.on_prod()
    until(story.passed_a_second, what="the next second")
    story.review(number, "carol")
    until(lambda: not [run for run in story.runs() if run.active], what="the end of all runs")
    story.goes(number)
    assert len(story.on_prod()) == 1
    story.is_sound()


def test_a_rejection_and_single_use(world: World, holds: Holds) -> None:
    """A rejection stops what waits; after asking again the consent serves one apply, and the next wants its own."""
    story = Production(world, holds)
    number = story.promoted()
    first = story.asks(number, "when-approved")
    story.accepted(number, "/reject prod the database is moved today", "rejected by", author="carol")
    assert "the database is moved today" in story.over(number, "rejected").why
    story.refused(number, "/approve prod", "was rejected", author="bob")
    second = story.asks(number)
    assert second.id != first.id
    story.accepted(number, "/approve prod", "nothing else is needed")
    story.accepted(number, "/approve prod", "approved")
    run = story.goes(number)
    assert run.approval == second.id
    story.refused(number, "/apply prod", "already applied")
    story.reacted(number, story.say(number, "/plan prod"), "+1")
    story.planned(number, "prod")
    third = story.asks(number)
    assert third.id != second.id
    assert story.decisions(number) == []
    assert len(story.on_prod()) == 1
    story.is_sound()


def test_whoever_lost_the_permission(world: World, holds: Holds) -> None:
    """An approver leaves the team, or loses the role, between the word and the apply: the word counts no more."""
    world.github.create_team("acme", "platform", ["bob", "carol"])
    story = Production(world, holds, prod=TEAM)
    number = story.promoted()
    story.asks(number)
    story.accepted(number, "/approve prod", "nothing else is needed")
    world.github.set_members("acme", "platform", ["carol"])
    story.refused_or_asked(number, "/apply prod")
    assert not story.on_prod()
    world.github.set_members("acme", "platform", ["bob", "carol"])
    story.github.set_role(story.repository, "bob", "read")
    story.refused_or_asked(number, "/apply prod")
    assert not story.on_prod()
    story.accepted(number, "/approve prod", "nothing else is needed", author="carol")
    story.goes(number)
    story.is_sound()


def test_a_team_that_is_gone(world: World, holds: Holds) -> None:
    """Renamed while people are asked, and before they are: nobody's word counts for it, and people read why."""
    world.github.create_team("acme", "platform", ["bob", "carol"])
    story = Production(world, holds, prod=TEAM)
    number = story.promoted()
    story.asks(number)
    world.github.rename_team("acme", "platform", "infrastructure")
    story.refused(number, "/approve prod", "@acme/platform", author="bob")
    story.refused(number, "/apply prod", "Team `acme/platform`, whose approval", "approvals")
    assert not story.on_prod()
    story.is_sound()


def test_code_owners(world: World, holds: Holds) -> None:
    """Of the base branch: not the ones that the pull request gives itself. An owner's team that is gone, errors and no
    file at all are refused with the way out."""
    world.github.create_team("acme", "owners", ["bob"], roles={})
    story = Production(world, holds, prod=OWNED)
    mine = {".github/CODEOWNERS": b"* @erin\n", **other("large")}
    story.github.set_role(story.repository, "erin", "write")
    number = story.promoted(mine)
    story.asks(number)
    story.refused(number, "/approve prod", "does not count", "@bob", author="erin")
    until(story.passed_a_second, what="the next second")
    story.review(number, "erin")
    story.decided(number, ("erin", "approve"))
    story.refused_or_asked(number, "/apply prod")
    assert not story.on_prod()
    story.accepted(number, "/approve prod", "nothing else is needed")
    for text, words in (
        (b"infra/ @acme/nobody\n", "CODEOWNERS"),
        (b"infra/ bob\n", "CODEOWNERS"),
        (None, "no CODEOWNERS file"),
    ):
        story.push({".github/CODEOWNERS": text}, "main", author="carol")
        story.refused(number, "/apply prod", words, "the required approvers are unknown")
    assert not story.on_prod()
    story.push({".github/CODEOWNERS": b"infra/ @bob\n"}, "main", author="carol")
    story.goes(number)
    story.is_sound()


@pytest.fixture
def narrow(share: Share) -> World:
    """A world with one slot, in which an apply can be held up between the question and its beginning."""
    return share(TOWPATH_SLOTS="1")


def test_expiry(narrow: World, holds: Holds) -> None:
    """Over before the click, and between the last word and the apply."""
    story = Production(narrow, holds)
    number = story.promoted()
    first = story.asks(number)
    story.expire(first)
    story.refused(number, "/approve prod", "has expired", author="bob")
    assert story.over(number, "expired").id == first.id
    second = story.asks(number)
    assert second.id != first.id
    story.accepted(number, "/approve prod", "nothing else is needed")
    story.is_held_up()
    comment = story.say(number, "/apply prod")
    until(lambda: story.runs("apply")[-1].target == story.target("prod"), what="an apply in the queue")
    story.expire(second)
    holds.release("apply")
    story.reacted(number, comment, "-1")
    assert "expired" in story.ended("apply", "refused").message
    assert story.over(number, "expired").id == second.id
    assert not story.on_prod()
    story.is_sound()


@pytest.mark.parametrize("what", ["rejected", "pushed", "planned again"])
def test_between_the_last_word_and_the_apply(narrow: World, holds: Holds, what: str) -> None:
    """A rejection, a push whose webhook is late, a new plan: nothing is applied, and people read why."""
    story = Production(narrow, holds)
    number = story.promoted()
    story.asks(number)
    story.accepted(number, "/approve prod", "nothing else is needed")
    story.is_held_up()
    comment = story.say(number, "/apply prod")
    until(lambda: story.runs("apply")[-1].target == story.target("prod"), what="an apply in the queue")
    if what == "rejected":
        story.accepted(number, "/reject prod not today", "rejected by", author="carol")
    elif what == "pushed":
        story.github.webhooks.drain()
        story.github.webhooks.hold()
        story.push("larger", story.branch(number))
    else:
        story.say(number, "/plan prod")
        until(lambda: len(story.runs("plan", number)) == 3, what="another plan, which waits for the apply")
        story.change_plan(number, status="superseded")
    holds.release("apply")
    until(lambda: not [run for run in story.runs("apply") if run.active], what="the end of the apply")
    run = story.ended("apply", "refused")
    words = {
        "rejected": "not today",
        "pushed": story.head(number)[:7],
        "planned again": "replaced by a newer one",
    }
    assert words[what] in run.message
    story.github.webhooks.release()
    story.reacted(number, comment, "-1")
    assert not story.on_prod()
    story.is_sound()


def test_a_state_that_somebody_elses_apply_moved(world: World, holds: Holds) -> None:
    """ApprovalRules to a plan is none to what it would do after another pull request's apply."""
    story = Production(world, holds)
    bobs = story.promoted("medium", author="bob")
    asked = story.asks(bobs, author="bob")
    story.github.set_role(story.repository, "erin", "write")
    story.accepted(bobs, "/approve prod", "nothing else is needed", author="erin")
    anns = story.propose("large")
    story.planned(anns)
    assert story.refused(anns, "/apply prod --force the pager is ringing", "read a plan", author="carol")
    story.planned(anns, "prod")
    comment = story.say(anns, "/apply prod --force the pager is ringing", "carol")
    story.reacted(anns, comment, "rocket")
    assert story.over(bobs, "dead", "state there has changed").id == asked.id
    story.github.close_pull(story.repository, anns, actor="ann")
    story.refused(bobs, "/apply prod", "State changed since this plan was made", author="bob")
    assert [run.pull for run in story.on_prod()] == [anns]
    story.is_sound()
