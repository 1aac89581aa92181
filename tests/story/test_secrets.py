"""Secrets from a vault's command, plain settings, and what people may know of them."""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Mapping
from pathlib import Path

import pytest

from bot.secrets.command import FAILED
from tests.fixtures.world import MakeWorld
from tests.story.holds import Holds
from tests.story.story import POLICY, Story

VARIABLES = """variable "owner" {
  default = "nobody"
}

variable "db_password" {
  sensitive = true
}
"""
MAIN = """variable "region" {
  default = "eu-west-1"
}
resource "terraform_data" "web" {
  input = "in ${var.region} by ${var.owner}"
}
resource "terraform_data" "db" {
  input = var.db_password
}
"""
OWNER, PASSWORD, SIGN_IN = "owner-of-staging", "hunter2-hunter2", "sign-in-of-the-vault"


class Vault:
    """A vault's command line: prints what `put` stored for an environment and phase; sealed, it fails halfway."""

    def __init__(self, directory: Path) -> None:
        self.script, self._stored = directory / "vault", directory / "vault.json"
        self._sealed = directory / "sealed"
        self.script.write_text(
            f"#!{sys.executable} -IS\n"
            "import json, os, sys\n"
            f"assert os.environ['VAULT_TOKEN'] == {SIGN_IN!r}\n"
            f"found = json.load(open({str(self._stored)!r}))[sys.argv[1]][sys.argv[2]]\n"
            "print(json.dumps(found))\n"
            f"if os.path.exists({str(self._sealed)!r}):\n"
            "    sys.exit('sealed: ' + json.dumps(found))\n"
        )
        self.script.chmod(0o700)

    def put(self, plan: Mapping[str, str], apply: Mapping[str, str]) -> None:
        self._stored.write_text(json.dumps({"staging": {"plan": plan, "apply": apply}}))

    def seal(self, *, sealed: bool) -> None:
        if sealed:
            self._sealed.touch()
        else:
            self._sealed.unlink()

    def settings(self, keep: int) -> dict[str, str]:
        return {
            "TOWPATH_SECRETS_COMMAND": f"{self.script} {{env}} {{phase}}",
            "TOWPATH_SECRETS_COMMAND_ENV": "VAULT_TOKEN,VAULT_TF_VAR_owner",
            "TOWPATH_SECRETS_COMMAND_CACHE": str(keep),
            "VAULT_TOKEN": SIGN_IN,
            "VAULT_TF_VAR_owner": SIGN_IN,
        }


@pytest.fixture
def vault(tmp_path: Path) -> Vault:
    return Vault(tmp_path)


def test_from_a_missing_secret_to_an_apply(make_world: MakeWorld, holds: Holds, vault: Vault) -> None:
    vault.put({"TF_VAR_owner": OWNER}, {})
    world = make_world(settings={**vault.settings(0), "STAGING_AWS_REGION": "eu-west-1"})
    story = Story(world, holds=holds)
    number = story.propose({"infra/variables.tf": VARIABLES, "infra/main.tf": MAIN})
    assert "Run `/secrets staging`" in story.sees(number, "No value for required variable")

    story.reacted(number, story.say(number, "/secrets staging"), "+1")
    told = story.is_told(number, "Secrets of staging")
    assert "1 input variable has no value" in told
    assert "`db_password` for plans (`infra/variables.tf line 5`)" in told
    assert "Set `STAGING_TF_VAR_db_password` where the bot runs." in told
    assert "| `AWS_REGION` (setting) | plans and applies | environment: `STAGING_AWS_REGION` |" in told
    assert "| `TF_VAR_owner` | plans | secrets command |" in told

    vault.put({"TF_VAR_owner": OWNER, "TF_VAR_db_password": PASSWORD}, {})
    story.reacted(number, story.say(number, "/plan staging"), "+1")
    assert "in eu-west-1 by ***" in story.planned(number)

    vault.seal(sealed=True)
    story.reacted(number, story.say(number, "/apply staging"), "-1")
    story.sees(number, "The secrets of `staging` could not be read")
    assert story.ended("apply", "refused").next_step.startswith("Ask whoever operates the bot")
    vault.seal(sealed=False)
    time.sleep(FAILED)
    story.reacted(number, story.say(number, "/secrets staging"), "+1")
    assert "input variable" not in story.is_told(number, "TF_VAR_db_password")
    story.applied(number)
    story.is_sound()

    with story.tables() as tables:
        logs = "\n".join(line for run in story.runs() for line in tables.runs.log(run.id)[1])
    checks = json.dumps(story.entries(number, "check"))
    shown = "\n".join([story.status(number), *story.answers(number), logs, checks, world.bot.tail(10_000)])
    assert "in eu-west-1 by ***" in checks
    assert not any(value in shown for value in (OWNER, PASSWORD, SIGN_IN))


def test_names_are_not_for_readers(story: Story) -> None:
    number = story.propose()
    story.planned(number)
    story.reacted(number, story.say(number, "/secrets staging", "dave"), "-1")
    assert "PLAYGROUND_TOKEN" not in story.is_told(number, "write")


def test_no_prefix_reaches_the_vaults_own_token(make_world: MakeWorld, holds: Holds, vault: Vault) -> None:
    """A policy with the prefix of the variables that the secrets command signs in with."""
    vault.put({"TF_VAR_db_password": PASSWORD}, {})
    story = Story(make_world(settings=vault.settings(60)), holds=holds)
    story.push({"envs/environments.toml": f'{POLICY}secrets_prefix = "VAULT_"\n'}, "main", author="carol")
    number = story.propose({"infra/variables.tf": VARIABLES, "infra/main.tf": MAIN})
    assert "in eu-west-1 by nobody" in story.planned(number)
    story.say(number, "/secrets staging")
    assert "TF_VAR_owner" not in story.is_told(number, "TF_VAR_db_password")
