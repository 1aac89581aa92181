"""What `towpath dev ci` says on a laptop is what the bot's check says of the same commit."""

from __future__ import annotations

import json
import logging
import subprocess
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

import bot.cli.dev  # noqa: F401 - registers the commands
from bot.cli.main import app
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


def check_of(story: Story, number: int) -> dict[str, Any]:
    """The bot's completed check of ci."""

    def look() -> dict[str, Any]:
        found = [one for one in story.entries(number, "check") if one["name"] == "towpath/ci"]
        return found[-1] if found and found[-1]["status"] == "completed" else {}

    return until(look, what="the check of ci")


@pytest.mark.parametrize(("main", "verdict"), [(PASSING, "success"), (FAILING, "failure")])
def test_plan_and_verdict_are_those_of_the_bot(
    world: World,
    holds: Holds,
    terraform: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    main: str,
    verdict: str,
) -> None:
    story = Story(world, "acme/dev-and-ci", FILES_OF_CI, holds=holds)
    number = story.propose({"infra/main.tf": main})
    posted = check_of(story, number)

    repository = world.github.state.repos[story.repository].path
    subprocess.run(["git", "clone", "--quiet", str(repository), "laptop"], cwd=tmp_path, check=True)
    laptop = tmp_path / "laptop"
    for words in (
        ("remote", "set-url", "origin", f"https://github.com/{story.repository}.git"),
        ("checkout", "--quiet", posted["commit"]),
    ):
        subprocess.run(["git", *words], cwd=laptop, check=True)
    monkeypatch.chdir(laptop)
    for name, value in world.environment().items():
        if name.startswith("TOWPATH_SANDBOX") or name == "TOWPATH_TERRAFORM_CLI_CONFIG":
            monkeypatch.setenv(name, value)
    monkeypatch.setenv("TOWPATH_TERRAFORM_BIN", terraform)
    handlers, level = logging.getLogger().handlers[:], logging.getLogger().level
    result = CliRunner().invoke(app, ["dev", "ci", "--pull", str(number), "--json"])
    logging.getLogger().handlers[:], logging.getLogger().level = handlers, level
    told = json.loads(result.stdout)
    (check,) = told["checks"]

    assert (told["commit"], result.exit_code) == (posted["commit"], 0 if verdict == "success" else 1)
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
