"""A module source that names another private repository, with the bot's credentials for git."""

from __future__ import annotations

from bot.playground.world import World, until
from tests.story.holds import Holds
from tests.story.story import FILES, POLICY, Story

SECRET = "the-secret-of-another-repository"
MODULE = {"outputs.tf": f'output "word" {{\n  value = "{SECRET}"\n}}\n'}


def stealing(source: str) -> dict[str, str | bytes | None]:
    return {
        "infra/main.tf": f'module "other" {{\n  source = "{source}"\n}}\n'
        'resource "terraform_data" "web" {\n  input = module.other.word\n}\n'
    }


def test_a_repository_of_the_installation(world: World, holds: Holds) -> None:
    """A writer of one repository plans a module in another one, which they cannot read. It stays unread until the policy
    on the default branch lists it; a pull request that lists it for itself changes nothing."""
    other = world.vacant("acme/secrets")  # type: ignore[attr-defined]
    world.github.create_repo(other, MODULE, private=True)
    story = Story(world, "acme/thief", holds=holds)
    policy = {"envs/environments.toml": f'modules = ["{other}"]\n{POLICY}'}
    number = story.propose({**stealing(f"git::{world.github.url}/{other}.git"), **policy})
    until(lambda: [run for run in story.runs("plan") if not run.active], what="the plan's end")
    run = story.runs("plan")[-1]
    assert SECRET not in story.status(number)
    assert run.outcome == "failed"
    assert run.message.startswith(
        f'{other} may not be read: set modules = ["{other}"] at the top of envs/environments.toml'
    )
    story.github.commit_files(story.repository, "main", policy, author="carol", message="Allow it")
    story.reacted(number, story.say(number, "/plan staging"), "+1")
    story.sees(number, SECRET)
    story.github.commit_files(
        story.repository, "main", {"envs/environments.toml": FILES["envs/environments.toml"]},
        author="carol", message="Forbid it",
    )  # fmt: skip
    story.say(number, "/plan staging")
    until(lambda: story.runs("plan")[-1].outcome == "failed", what="a plan that cannot read it any more")
    story.is_sound()
