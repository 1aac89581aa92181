"""Going back: by a plan that people read, exactly once, and held there afterwards."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from bot.playground.slack.model import Message
from bot.playground.world import World, until
from tests.fixtures.world import MakeWorld
from tests.story.holds import Holds
from tests.story.kills import Kills
from tests.story.production import Production
from tests.story.story import FILES, MAIN, POLICY, Story
from tests.story.test_crashes import again

EXTRA = 'resource "terraform_data" "extra" {\n  input = "x"\n}\n'
BROKEN = """
resource "terraform_data" "broken" {
  depends_on = [terraform_data.web]
  provisioner "local-exec" {
    command = "false"
  }
}
"""


def configured(size: str, more: str = "") -> dict[str, str | bytes | None]:
    return {"infra/main.tf": MAIN.replace("SIZE", size) + more}


def on_the_way(story: Story, number: int, words: str = "/revert staging") -> str:
    """The plan of the way back, once it stands there; its text."""
    story.reacted(number, story.say(number, words), "+1")
    until(lambda: story.runs("plan", number)[-1].reverts != "", what="a plan of the way back")
    story.ended("plan", "planned")
    return story.sees(number, "**Reverting** to")


def web(story: Story) -> str:
    """What the one resource is set to."""
    with story.tables() as tables:
        current = tables.states.current(story.target().key)
    assert current is not None
    (found,) = [one for one in json.loads(current[1])["resources"] if one["name"] == "web"]
    return str(found["instances"][0]["attributes"]["input"]["value"])


def test_there_and_back(story: Story) -> None:
    """ann's second pull request is taken back: read, applied exactly, proven, held; and lifted by who may."""
    first = story.propose(configured("medium"))
    story.planned(first)
    story.applied(first)
    story.github.merge_pull(story.repository, first, actor="bob")
    second = story.propose(configured("large"))
    story.planned(second)
    story.reacted(second, story.say(second, "/revert"), "-1")
    story.is_told(second, "has not applied anything")
    story.applied(second)
    assert "large" in web(story)
    text = on_the_way(story, second, "/revert")
    assert "change in place" in text
    assert "large" in web(story), "a plan changes nothing"
    story.reacted(second, story.say(second, "/apply staging"), "-1")
    story.is_told(second, "The latest plan for staging is a revert.")
    story.reacted(second, story.say(second, "/revert staging"), "rocket")
    assert "medium" in web(story)
    said = story.sees(second, "staging matches `")
    assert "on hold at" in said
    assert "/compare/" in said
    story.reacted(second, story.say(second, "/apply staging"), "-1")
    told = story.is_told(second, "Run `/plan staging` for the current commit")
    assert "The latest plan for staging is a revert." in told
    with story.tables() as tables:
        releases = tables.releases.of_target(story.target(), 10)
        versions = tables.states.versions(story.target().key, 10)
    assert [bool(one.reverts) for one in releases] == [True, False, False]
    assert releases[0].commit == releases[2].commit
    assert versions[0].serial > versions[1].serial
    assert len({one.lineage for one in versions}) == 1
    story.reacted(second, story.say(second, "/plan staging"), "+1")
    story.sees(second, "`/unhold staging`")
    story.reacted(second, story.say(second, "/apply staging"), "-1")
    story.is_told(second, "is on hold at")
    story.reacted(second, story.say(second, "/unhold staging", "dave"), "-1")
    story.reacted(second, story.say(second, "/unhold staging"), "+1")
    story.planned(second)
    story.applied(second)
    assert "large" in web(story)
    story.is_sound()


def test_what_is_lost(story: Story) -> None:
    """Going back destroys something: somebody else consents, and the count is typed."""
    number = story.propose(configured("medium"))
    story.planned(number)
    story.applied(number)
    story.push(configured("medium", EXTRA), "ann/change-1")
    story.planned(number)
    story.applied(number)
    text = on_the_way(story, number)
    assert "its data is lost" in text
    story.reacted(number, story.say(number, "/revert staging --losing 2"), "-1")
    assert not [one for one in story.answers(number) if "requests approval to revert" in one], "of a miscount"
    story.say(number, "/revert staging")
    story.is_told(number, "requests approval to revert")
    story.reacted(number, story.say(number, "/approve staging"), "-1")
    story.reacted(number, story.say(number, "/approve staging", "bob"), "+1")
    story.reacted(number, story.say(number, "/revert staging"), "-1")
    story.is_told(number, "permanently loses the data of 1 resource")
    story.reacted(number, story.say(number, "/revert staging --losing 2"), "-1")
    story.reacted(number, story.say(number, "/revert staging --losing 1"), "rocket")
    story.sees(number, "matches `")
    story.is_sound()


def test_after_half_an_apply(story: Story) -> None:
    """An apply breaks in the middle: back to what stood there before it. The hold keeps the broken commit out."""
    number = story.propose(configured("medium"))
    story.planned(number)
    story.applied(number)
    story.push(configured("large", BROKEN), "ann/change-1")
    story.planned(number)
    story.reacted(number, story.say(number, "/apply staging"), "-1")
    assert "large" in web(story), "half of it was done"
    on_the_way(story, number)
    story.say(number, "/revert staging")
    story.is_told(number, "requests approval to revert")
    story.reacted(number, story.say(number, "/approve staging", "bob"), "+1")
    story.reacted(number, story.say(number, "/revert staging --losing 1"), "rocket")
    assert "medium" in web(story)
    story.sees(number, "matches `")
    story.sees(number, "on hold at")
    story.is_sound()


def test_back_and_forth(story: Story) -> None:
    """The revert of a revert, by serial; what does not exist; what nobody applied."""
    number = story.propose(configured("medium"))
    story.reacted(number, story.say(number, "/revert staging"), "-1")
    story.is_told(number, "Nothing was ever applied")
    story.planned(number)
    story.applied(number)
    story.push(configured("large"), "ann/change-1")
    story.planned(number)
    story.applied(number)
    with story.tables() as tables:
        large = tables.releases.newest(story.target())
    assert large is not None
    story.reacted(number, story.say(number, "/revert staging 4711"), "-1")
    story.is_told(number, "has no release `4711`")
    on_the_way(story, number)
    story.reacted(number, story.say(number, "/revert staging"), "rocket")
    assert "medium" in web(story)
    story.reacted(number, story.say(number, "/unhold staging"), "+1")
    on_the_way(story, number, f"/revert staging {large.serial}")
    story.reacted(number, story.say(number, f"/revert staging {large.serial}"), "rocket")
    assert "large" in web(story)
    story.is_sound()


def about_to_go_back(story: Story) -> int:
    """A pull request of which `large` is applied, and the way back to `medium` is planned."""
    number = story.propose(configured("medium"))
    story.planned(number)
    story.applied(number)
    story.push(configured("large"), "ann/change-1")
    story.planned(number)
    story.applied(number)
    on_the_way(story, number)
    return number


@pytest.mark.own_world
def test_killed_before_terraform_changes_anything(story: Story, world: World, holds: Holds) -> None:
    """The bot is killed when the revert's Terraform was started and has done nothing: that is told as interrupted,
    once, nothing is repeated, and the next `/revert` goes on."""
    number = about_to_go_back(story)
    before = len(holds.calls("apply"))
    holds.hold("apply")
    comment = story.say(number, "/revert staging")
    holds.await_call("apply", before + 1)
    again(world)
    holds.release("apply")
    story.reacted(number, comment, "-1")
    stopped = story.ended("apply", "interrupted")
    assert "during this revert; it is not repeated automatically" in stopped.message
    assert "large" in web(story)
    assert len(holds.calls("apply")) == before + 1
    on_the_way(story, number)
    story.reacted(number, story.say(number, "/revert staging"), "rocket")
    assert "medium" in web(story)
    assert [run.outcome for run in story.runs("apply")] == ["applied", "applied", "interrupted", "applied"]
    story.is_sound()


def test_killed_after_terraform_has_ended(make_world: MakeWorld, holds: Holds, tmp_path: Path) -> None:
    """The bot is killed when the revert's Terraform is done and nothing of it is on record: it counts as applied, by
    itself, and Terraform is not called again."""
    kills = Kills(tmp_path)
    world = make_world(settings=kills.settings)
    story = Story(world, holds=holds)
    number = about_to_go_back(story)
    before = len(holds.calls("apply"))
    kills.at("before", "INSERT INTO releases ")
    comment = story.say(number, "/revert staging")
    kills.await_death(world, "at the revert's release")
    assert "medium" in web(story)
    with story.tables() as tables:
        assert len(tables.releases.of_target(story.target(), 10)) == 2
    world.bot.start()
    story.reacted(number, comment, "rocket")
    story.sees(number, "on hold at")
    assert [run.outcome for run in story.runs("apply")] == ["applied"] * 3
    assert len(holds.calls("apply")) == before + 1
    with story.tables() as tables:
        assert tables.releases.of_target(story.target(), 10)[0].reverts
    story.is_sound()


def test_production_asks(world: World, holds: Holds) -> None:
    """A revert in production needs the same consent as an apply there, and no promotion."""
    story = Production(world, holds)
    number = story.promoted("medium")
    story.asks(number)
    story.accepted(number, "/approve prod", "nothing else is needed")
    story.reacted(number, story.say(number, "/apply prod"), "rocket")
    story.push("large", story.branch(number))
    story.planned(number)
    story.on_staging(number)
    story.asks(number)
    story.accepted(number, "/approve prod", "nothing else is needed")
    story.reacted(number, story.say(number, "/apply prod"), "rocket")
    story.reacted(number, story.say(number, "/revert prod"), "+1")
    until(lambda: story.runs("plan", number)[-1].reverts != "", what="a plan of the way back")
    story.ended("plan", "planned")
    story.say(number, "/revert prod")
    story.is_told(number, "requests approval to revert prod")
    story.accepted(number, "/approve prod", "nothing else is needed")
    story.reacted(number, story.say(number, "/revert prod"), "rocket")
    assert story.released("prod").reverts
    story.sees(number, "matches `")
    story.is_sound()


def test_the_record_alone(world: World, holds: Holds) -> None:
    """Break-glass: an old state is written anew, after orphans and ghosts were named; locked until its plan is accepted."""
    policy = POLICY + 'force = { users = ["bob"] }\n'
    story = Story(world, "acme/record", FILES | {"envs/environments.toml": policy.encode()}, holds=holds)
    number = story.propose(configured("medium"))
    story.planned(number)
    story.applied(number)
    story.push(configured("medium", EXTRA), "ann/change-1")
    story.planned(number)
    story.applied(number)
    with story.tables() as tables:
        before = tables.states.versions(story.target().key, 10)
    old = before[-1].serial
    story.reacted(number, story.say(number, f"/revert staging --state-only {old}"), "-1")
    story.is_told(number, "Only @bob can force changes to `staging`")
    story.reacted(number, story.say(number, f"/revert staging --state-only {old}", "bob"), "-1")
    story.is_told(number, "Orphans (exist, but in no state): `terraform_data.extra`")
    words = f"/revert staging --state-only {old} --orphans 1 --ghosts 0"
    story.reacted(number, story.say(number, words, "bob"), "+1")
    with story.tables() as tables:
        after = tables.states.versions(story.target().key, 10)
        lock = tables.locks.get(story.target())
    assert (after[0].serial, after[0].lineage) == (before[0].serial + 1, before[0].lineage)
    assert after[0].resources == 1
    assert lock is not None
    assert lock.pull == 0
    until(lambda: not any(run.active for run in story.runs("plan", number)), what="its plan")
    story.reacted(number, story.say(number, "/apply staging"), "-1")
    story.is_told(number, "state-only revert to serial")
    story.reacted(number, story.say(number, "/unlock staging", "bob"), "+1")
    story.planned(number)
    story.is_sound()


def test_the_release_that_was_named_is_meant(story: Story) -> None:
    """A bare `/revert` after the plan of a named release applies that plan: it is the one that was read."""
    number = story.propose(configured("medium"))
    story.planned(number)
    story.applied(number)
    for size in ("large", "larger"):
        story.push(configured(size), "ann/change-1")
        story.planned(number)
        story.applied(number)
    with story.tables() as tables:
        first = tables.releases.of_target(story.target(), 10)[-1]
    on_the_way(story, number, f"/revert staging {first.serial}")
    story.reacted(number, story.say(number, "/revert staging"), "rocket")
    assert "medium" in web(story)
    story.is_sound()


def offered(story: Story, number: int, button: str) -> Message:
    """The pull request's card, once it has this button."""

    def look() -> Message | None:
        found = [one for one in story.world.slack.messages("#infra") if f"#{number} " in one.text]
        return found[0] if found and found[0].button(button) else None

    found = until(look, what=f"the button {button}")
    assert found is not None
    return found


def deployed(story: Story) -> str:
    """What the repository's deployments say."""
    every = list(story.github.state.deployments.values())
    return "\n".join(str(one.description) for one in every if one.repo.full_name == story.repository)


def test_every_place_tells_the_same(story: Story) -> None:
    """A revert by another pull request: the first one's headline, check, card and thread say so, and lead to what is
    next; so does the other one's, after its merge, too."""
    first = story.propose(configured("medium"))
    story.planned(first)
    story.applied(first)
    story.github.merge_pull(story.repository, first, actor="bob")
    second = story.propose(configured("large"))
    story.planned(second)
    story.applied(second)
    story.reacted(second, story.say(second, "/unlock staging"), "+1")
    third = story.propose({"README.md": b"Why we go back\n"})
    story.github.merge_pull(story.repository, third, actor="bob")
    on_the_way(story, third)
    story.sees(third, "**Staging is ready to revert**")
    story.sees(third, "`/revert staging`")
    posted = offered(story, third, "towpath:revert:staging")
    story.world.slack.click("ann", "#infra", posted.ts, "towpath:revert:staging")
    until(lambda: "medium" in web(story), what="the way back")
    story.ended("apply", "applied")
    story.sees(third, "**Staging is reverted**")
    assert f"by #{third}" in story.sees(second, "**Staging is reverted**").replace("&#8203;", "")
    commit = story.runs("apply")[-1].commit[:7]
    until(
        lambda: f"Revert of staging to {commit} by @ann in #{third}" in deployed(story),
        what=f"the revert's deployment in\n{deployed(story)}",
    )
    story.reacted(second, story.say(second, "/plan staging"), "+1")
    story.sees(second, "`/unhold staging`")
    posted = offered(story, second, "towpath:unhold:staging")
    assert posted.button("towpath:apply:staging") is None
    said = str([one.blocks for one in story.world.slack.thread("#infra", posted.ts)][-1])
    assert "/infra unhold staging" in said
    assert "/infra apply staging" not in said
    story.world.slack.click("ann", "#infra", posted.ts, "towpath:unhold:staging")
    offered(story, second, "towpath:apply:staging")
    story.planned(second)
    story.applied(second)
    story.is_sound()
