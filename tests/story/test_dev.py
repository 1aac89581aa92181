"""A laptop and the bot: the same checks of the same commit, and one state that both can have."""

from __future__ import annotations

import json
import logging
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

import bot.cli.dev
import bot.cli.state_access  # noqa: F401 - both register their commands
from bot.cli.main import app
from bot.errors import UserError
from bot.playground.world import World, until
from tests.story.holds import Holds
from tests.story.story import FILES, MAIN, Story

POLICY = """[stack.infra]
root = "infra"
[env.dev]
[env.ci]
on_pull_request = "plan"
instance = "pr-{pr}"
"""
FILES_OF_CI = {
    **{path: content for path, content in FILES.items() if not path.startswith("envs/")},
    "envs/environments.toml": POLICY.encode(),
    "envs/ci.tfvars": b'env = "ci"\n',
}
PASSING = (
    MAIN.replace("SIZE", "large") + 'resource "terraform_data" "api" {\n  input = "${var.env}: api"\n}\n'
)
FAILING = MAIN.replace("var.env", "var.enf")


class Laptop:
    """A clone of a story's repository, and `towpath` in it."""

    def __init__(self, story: Story, path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        bare = story.world.github.state.repos[story.repository].path
        subprocess.run(["git", "clone", "--quiet", str(bare), str(path)], check=True)
        self.path, self._patch = path, monkeypatch
        self.git("remote", "set-url", "origin", f"https://github.com/{story.repository}.git")
        monkeypatch.setenv("XDG_CONFIG_HOME", str(path.parent / "config"))
        for name, value in story.world.environment().items():
            if name.startswith("TOWPATH_SANDBOX") or name == "TOWPATH_TERRAFORM_CLI_CONFIG":
                monkeypatch.setenv(name, value)

    def git(self, *words: str) -> None:
        subprocess.run(["git", *words], cwd=self.path, check=True, capture_output=True)

    def told(self, *words: str) -> dict[str, Any]:
        """What `towpath …` prints as JSON; its exit code says the same."""
        self._patch.chdir(self.path)
        result = CliRunner().invoke(app, [*words, "--json"])
        assert result.stdout, result.exception
        found: dict[str, Any] = json.loads(result.stdout)
        assert found.get("ok", True) == (result.exit_code == 0)
        return found


@pytest.fixture
def _logging() -> Iterator[None]:
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    yield
    root.handlers[:], root.level = handlers, level


@pytest.fixture
def both(
    world: World,
    holds: Holds,
    terraform: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    _logging: None,
) -> tuple[Story, Laptop]:
    story = Story(world, "acme/dev-and-ci", FILES_OF_CI, holds=holds)
    monkeypatch.setenv("TOWPATH_TERRAFORM_BIN", terraform)
    return story, Laptop(story, tmp_path / "laptop", monkeypatch)


def check_of(story: Story, number: int) -> dict[str, Any]:
    """The bot's completed check of ci."""

    def look() -> dict[str, Any]:
        found = [one for one in story.entries(number, "check") if one["name"] == "towpath/ci"]
        return found[-1] if found and found[-1]["status"] == "completed" else {}

    return until(look, what="the check of ci")


@pytest.mark.parametrize(("main", "verdict"), [(PASSING, "success"), (FAILING, "failure")])
def test_plan_and_verdict_are_those_of_the_bot(both: tuple[Story, Laptop], main: str, verdict: str) -> None:
    story, laptop = both
    number = story.propose({"infra/main.tf": main})
    posted = check_of(story, number)
    laptop.git(
        "fetch", "--quiet", str(story.world.github.state.repos[story.repository].path), posted["commit"]
    )
    laptop.git("checkout", "--quiet", posted["commit"])
    told = laptop.told("dev", "ci", "--pull", str(number))
    (check,) = told["checks"]

    assert (told["commit"], told["ok"]) == (posted["commit"], verdict == "success")
    assert posted["conclusion"] == verdict, posted
    for fact in ("name", "conclusion", "title", "text"):
        assert check[fact] == posted[fact], fact
    if verdict == "success":
        assert check["summary"]["add"] == 2
        assert [one["action"] for one in check["changes"]] == ["create", "create"]
        assert 'input = "ci: api"' in check["text"]
    else:
        assert "undeclared input variable" in check["message"]
        assert "undeclared input variable" in posted["summary"]


def test_a_state_on_the_bot_is_shared_and_ones_own_stays_apart(
    both: tuple[Story, Laptop], monkeypatch: pytest.MonkeyPatch
) -> None:
    story, laptop = both
    monkeypatch.chdir(laptop.path)
    refusal = CliRunner().invoke(app, ["dev", "plan", "--shared"]).exception
    assert isinstance(refusal, UserError)
    assert f"--repository {story.repository} --env dev" in refusal.next_step
    monkeypatch.setenv("GITHUB_TOKEN", str(story.world.github.state.user("ann").token))
    laptop.told(
        *("state", "login", "--url", story.world.bot.url),
        *("--repository", story.repository, "--env", "dev"),
    )
    told = laptop.told("dev", "apply", "--shared", "--yes")
    assert "apply" in told, told["plan"]
    assert told["apply"]["outcome"] == "applied"
    assert laptop.told("dev", "plan", "--shared")["headline"] == "no changes"
    assert laptop.told("dev", "plan")["headline"] == "1 to add, 0 to change, 0 to destroy"
    (shared,) = laptop.told("dev", "status", "--shared")["stacks"]
    (own,) = laptop.told("dev", "status")["stacks"]
    assert (shared["resources"], own["resources"]) == (1, 0)
    with story.world.database.read() as tables:  # type: ignore[attr-defined]
        version = tables.states.newest(f"{story.repository}:infra:dev")
    assert (version.actor, version.resources) == ("ann", 1), "the bot knows whose it is"
    assert laptop.told("dev", "down", "--shared", "--yes")["destroyed"][0]["outcome"] == "applied"
    (shared,) = laptop.told("dev", "status", "--shared")["stacks"]
    assert shared["resources"] == 0
