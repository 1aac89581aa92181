"""Plans, applies and destroys of a working copy with real Terraform, on a state of its own."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.integration.dev.conftest import Clone, policy

SLOW = """resource "terraform_data" "slow" {
  provisioner "local-exec" {
    command = "echo began > ${path.module}/began; sleep 2"
  }
}
"""


def test_the_files_on_disk_are_planned_applied_checked_and_destroyed(clone: Clone) -> None:
    clone.told("up")
    planned = clone.told("plan")
    assert (planned["headline"], planned["uncommitted"]) == ("1 to add, 0 to change, 0 to destroy", [])
    applied = clone.told("apply", "--yes")
    assert applied["apply"]["verification"] == "passed"

    clone.write({"infra/main.tf": clone.main_tf("large")})
    changed = clone.told("plan")
    assert (changed["headline"], changed["uncommitted"]) == (
        "0 to add, 1 to change, 0 to destroy",
        ["infra/main.tf"],
    )
    assert clone.run("plan").stdout.splitlines()[1] == (
        f"Files:  main at {clone.git('rev-parse', 'HEAD')[:7]}, and 1 uncommitted change"
    )
    (stack,) = clone.told("status")["stacks"]
    assert (stack["resources"], stack["verification"]) == (1, "passed")

    assert "there is no terminal to ask on" in clone.refused("down").what
    assert clone.answers(), "nothing was stopped either"
    told = clone.told("down", "--yes")
    assert [one["outcome"] for one in told["destroyed"]] == ["applied"]
    assert not clone.answers()
    (stack,) = clone.told("status")["stacks"]
    assert stack["resources"] == 0
    assert clone.git("status", "--porcelain") == "M infra/main.tf", (
        "nothing was written into the working copy"
    )


def test_a_failed_check_fails_the_apply(clone: Clone) -> None:
    told = clone.told("apply", "--yes")
    assert (told["ok"], told["apply"]["outcome"], told["apply"]["verification"]) == (
        False,
        "applied",
        "failed",
    )
    assert clone.told("down", "--yes")["destroyed"][0]["outcome"] == "applied"


def test_what_is_wrong_is_told_with_the_next_step(clone: Clone) -> None:
    clone.write({"infra/main.tf": 'resource "terraform_data" "web" {\n  input = var.nope\n}\n'})
    planned = clone.told("plan")
    assert planned["outcome"] == "failed"
    assert "Reference to undeclared input variable" in planned["message"]
    assert planned["next_step"] == "Fix it, and run the command again."
    assert "is not local" in clone.refused("plan", "--env", "ci").what
    assert clone.refused("plan", "--env", "dew").what == "There is no environment `dew`; did you mean `dev`?"


def test_the_rules_are_the_default_branchs(clone: Clone) -> None:
    """A branch may try other dependencies, and nothing else."""
    clone.commit({"envs/environments.toml": policy(clone.port, more='[providers]\nallow = ["acme/*"]\n')})
    clone.git("switch", "--quiet", "--create", "change")
    other = 'resource "random_id" "x" {\n  byte_length = 1\n}\n'
    clone.commit({"envs/environments.toml": policy(clone.port), "infra/other.tf": other})
    planned = clone.told("plan")
    assert planned["outcome"] == "refused"
    assert "hashicorp/random" in planned["message"]


def test_secrets_have_the_environments_prefix(clone: Clone, monkeypatch: pytest.MonkeyPatch) -> None:
    clone.write({"infra/more.tf": 'variable "size" {}\noutput "size" {\n  value = var.size\n}\n'})
    parts = {one["part"]: one for one in clone.told("doctor")["parts"]}
    assert parts["infra: variables"]["next_step"] == "Set them in `envs/dev.tfvars`, or as DEV_TF_VAR_size."
    monkeypatch.setenv("DEV_TF_VAR_size", "hunter2-hunter2")
    assert clone.told("doctor")["ok"]
    told = clone.run("plan")
    assert (told.exit_code, "hunter2" in told.stdout) == (0, False), "redacted, as the bot does"


def test_a_var_file_that_git_ignores_is_told(clone: Clone) -> None:
    clone.git("rm", "--quiet", "--cached", "envs/dev.tfvars")
    clone.commit({".gitignore": "dev.tfvars\n"})
    parts = {one["part"]: one for one in clone.told("doctor")["parts"]}
    assert (
        parts["infra: files"]["found"]
        == "git ignores `envs/dev.tfvars`, so neither `towpath dev` nor ci sees it."
    )


def test_a_killed_apply_loses_nothing(clone: Clone) -> None:
    """Terraform outlives the command, and saves its state through the next one."""
    clone.write({"infra/slow.tf": SLOW})
    argv = [sys.executable, "-m", "bot", "dev", "apply", "--yes"]
    with subprocess.Popen(argv, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as command:
        worktrees = clone.top / ".towpath" / "worktrees"
        until = time.monotonic() + 60
        while not list(worktrees.glob("*/*/*/*/infra/began")):
            assert time.monotonic() < until
            assert command.poll() is None
            time.sleep(0.05)
        command.kill()
    told = clone.run("plan", "--json")
    assert "The command was killed during this apply; it is not repeated automatically." in told.stderr
    (stack,) = clone.told("status")["stacks"]
    assert (stack["resources"], stack["last"]["outcome"]) == (2, "interrupted")
    # Terraform kills a provisioner when it is interrupted, unless that has just ended
    assert json.loads(told.stdout)["headline"] in ("no changes", "1 to add, 0 to change, 1 to destroy")


def test_one_command_at_a_time(clone: Clone, tmp_path: Path) -> None:
    from bot.cli.dev.desk import desk

    with desk().alone():
        assert clone.refused("plan").what == f"Another `towpath dev` is working in {clone.top}."
    assert clone.told("plan")["ok"]


def test_what_is_not_a_clone_is_told(clone: Clone, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert "is not in a git repository" in clone.refused("plan").what
