"""Who must agree is judged by what holds when it matters, not by what held when it was asked."""

from __future__ import annotations

from bot.playground.world import World, until
from tests.story.holds import Holds
from tests.story.production import CHANNEL, Production
from tests.story.test_approvals import OWNED
from tests.story.test_slack import whispered


def test_owners_that_changed_meanwhile(world: World, holds: Holds) -> None:
    """CODEOWNERS on the base branch names others while an approval is open, after the last word, and after that a team
    which whoever approved is of, and then is not of any more."""
    world.github.create_team("acme", "web", ["bob"], roles={})
    story = Production(world, holds, prod=OWNED)
    story.github.set_team_role(story.repository, "web", "write")
    number = story.promoted()
    asked = story.asks(number)
    assert [one["any_of"] for one in asked.owners] == [["@bob"]]
    story.push({".github/CODEOWNERS": b"infra/ @carol\n"}, "main", author="carol")
    story.refused(
        number, "/approve prod", "does not count", "@carol, code owner of `infra/main.tf`", author="bob"
    )
    story.push({".github/CODEOWNERS": b"infra/ @bob\n"}, "main", author="carol")
    story.accepted(number, "/approve prod", "nothing else is needed")
    story.push({".github/CODEOWNERS": b"infra/ @carol\n"}, "main", author="carol")
    story.refused_or_asked(number, "/apply prod")
    story.sees(number, "carol, code owner of `infra/main.tf`")
    assert (now := story.approval(number))
    assert (now.id, now.ready_at) == (asked.id, None)
    story.push({".github/CODEOWNERS": b"infra/ @acme/web\n"}, "main", author="carol")
    world.github.set_members("acme", "web", ["carol"])
    story.refused_or_asked(number, "/apply prod")
    world.github.set_members("acme", "web", ["bob", "carol"])
    story.goes(number)
    assert not [one for one in story.approvals(number) if one.id != asked.id]
    assert len(story.audit("approval.owners")) == 4
    story.is_sound()


def test_owners_that_cannot_be_relied_on_any_more(world: World, holds: Holds) -> None:
    """An error in the file, made while people are asked: no word counts, everybody reads why; a rejection still does,
    and a break-glass goes on."""
    story = Production(world, holds, prod=f'{OWNED}\nforce = {{ users = ["carol"] }}')
    number = story.promoted()
    story.asks(number)
    story.push({".github/CODEOWNERS": b"infra/ @acme/nobody\n"}, "main", author="carol")
    told = ("the required approvers are unknown", "Fix it on `main`")
    story.refused(number, "/approve prod", *told, author="bob")
    world.slack.click("bob", CHANNEL, story.asked_in_slack(number).ts, "modal:approve")
    whispered(story, "bob", told[0])
    until(story.passed_a_second, what="the next second")
    story.review(number, "bob")
    story.decided(number, ("bob", "approve"))
    story.refused(number, "/apply prod", *told)
    story.accepted(number, "/reject prod not like this", "rejected by")
    story.refused(number, "/apply prod", *told)
    assert not story.on_prod()
    story.reacted(number, story.say(number, "/apply prod --force the pager is ringing", "carol"), "rocket")
    assert story.awaits_prod().forced
    story.is_sound()


def test_a_review_before_the_plan_was_there(world: World, holds: Holds) -> None:
    """It counts for the code and not for the plan, and its author reads so, once; also where it came in while the plan
    was being made. Whose word would not count anyway is told nothing."""
    story = Production(world, holds)
    number = story.promoted()
    story.review(number, "bob")
    holds.hold("plan")
    calls = len(holds.calls("plan"))
    story.say(number, "/apply prod")
    holds.await_call("plan", calls + 1)
    until(
        lambda: (now := story.approval(number)) and now.status == "planning",
        what="a question without its plan",
    )
    story.review(number, "carol")
    for who in ("bob", "carol"):
        story.is_told(number, f"@{who}: your approving review of")
    assert all("`/approve prod`" in one for one in story.answers(number) if "your approving review of" in one)
    holds.release("plan")
    until(lambda: (now := story.approval(number)) and now.status == "open", what="an open approval")
    until(story.passed_a_second, what="the next second")
    story.refused_or_asked(number, "/apply prod")
    assert story.decisions(number) == []
    story.review(number, "bob")
    story.decided(number, ("bob", "approve"))
    story.goes(number)
    assert len([one for one in story.answers(number) if "your approving review of" in one]) == 2
    story.is_sound()


def test_what_github_refuses_during_a_click(world: World, holds: Holds) -> None:
    """A final no of GitHub's, where a click is judged: whoever clicked reads what happened and what to do; nothing
    counted, and the same button works once GitHub answers."""
    story = Production(world, holds)
    number = story.promoted()
    story.asks(number)
    ts = story.asked_in_slack(number).ts
    story.github.webhooks.drain()
    story.github.faults.add(
        "GET", "/collaborators/bob/permission", 403, message="Resource not accessible", times=1
    )
    world.slack.click("bob", CHANNEL, ts, "modal:approve")
    said = whispered(story, "bob", "Your click did not count")
    assert "(status 403)" in said
    whispered(story, "bob", "then click again")
    assert story.decisions(number) == []
    world.slack.click("bob", CHANNEL, ts, "modal:approve")
    story.decided(number, ("bob", "approve"))
    story.is_sound()
