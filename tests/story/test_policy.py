"""What the policy says, where it is read, and which stacks a pull request touches."""

from __future__ import annotations

from bot.playground.github.user_actions import PullOptions
from bot.playground.world import World
from tests.story.holds import Holds
from tests.story.story import FILES, MAIN, POLICY, Story

TWO = """[stack.web]
root = "web"
[stack.api]
root = "api"
[env.staging]
"""


def test_the_first_policy_is_told_and_comes_into_force_at_its_merge(world: World, holds: Holds) -> None:
    bare = {path: content for path, content in FILES.items() if path != "envs/environments.toml"}
    story = Story(world, "acme/first", bare, holds=holds)
    quiet = story.propose("large")
    story.reacted(quiet, story.say(quiet, "/plan"), "-1")
    story.is_told(quiet, "There is no `envs/environments.toml` on `main`")
    first = story.propose({"envs/environments.toml": POLICY}, author="bob")
    story.sees(first, "After the merge: stacks `infra`")
    assert story.runs() == []
    story.github.merge_pull(story.repository, first, actor="bob")
    story.reacted(quiet, story.say(quiet, "/plan"), "+1")
    story.planned(quiet)
    story.is_sound()


def test_a_pull_request_cannot_change_the_policy_it_is_judged_by(story: Story) -> None:
    number = story.propose({"envs/environments.toml": POLICY + "[env.extra]\n", "infra/main.tf": MAIN})
    story.planned(number)
    assert "extra" in story.status(number).split("After the merge")[1]
    story.reacted(number, story.say(number, "/plan extra"), "-1")
    story.is_told(number, "There is no environment `extra`")
    story.is_sound()


def test_a_broken_policy_is_told_where_it_is_seen(world: World, holds: Holds) -> None:
    story = Story(world, "acme/broken", {**FILES, "envs/environments.toml": b"[stak.infra]\n"}, holds=holds)
    number = story.propose("large")
    story.sees(number, "did you mean `stack`")
    story.reacted(number, story.say(number, "/plan"), "-1")
    assert story.runs() == []


def test_another_base_is_planned_only_if_the_policy_names_it(story: Story) -> None:
    story.push("other", "release-1", author="bob")
    story.push("large", "ann/fix")
    number = story.github.open_pull(
        story.repository, author="ann", head="ann/fix", title="Fix", options=PullOptions(base="release-1")
    )
    story.reacted(number, story.say(number, "/plan"), "-1")
    story.is_told(number, "Pull requests into `release-1` are not planned")
    assert story.status(number) == ""
    assert story.runs() == []


def test_only_stacks_that_are_touched_also_through_a_module(world: World, holds: Holds) -> None:
    module = 'module "size" {\n  source = "../modules/size"\n}\n'
    files = {
        "web/main.tf": module.encode(),
        "api/main.tf": MAIN.encode(),
        "modules/size/main.tf": MAIN.encode(),
        "envs/environments.toml": TWO.encode(),
    }
    story = Story(world, "acme/two", files, holds=holds)
    number = story.propose({"modules/size/main.tf": MAIN.replace("SIZE", "large")})
    story.sees(number, "`/apply staging web`")
    assert [run.target.stack for run in story.runs()] == ["web"]
    assert "staging/api" not in story.status(number)
    other = story.propose({"api/main.tf": MAIN.replace("SIZE", "large"), "README.md": "hello"})
    story.sees(other, "`/apply staging api`")
    assert [run.target.stack for run in story.runs()] == ["web", "api"]
    story.applied(other, "staging")
    story.is_sound()
