"""What engines do with variables whose values differ between a plan and its apply, such as credentials of one phase."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

import pytest

CONFIGURATION = """variable "token" {
  type      = string
  ephemeral = true
}
variable "plain" {
  type    = string
  default = "none"
}
resource "terraform_data" "web" {
  input = var.plain
}
"""


@pytest.fixture
def engine() -> str:
    found = shutil.which("terraform")
    if found is None:
        pytest.skip("terraform is not on PATH")
    return found


def call(engine: str, here: Path, *words: str, **variables: str) -> str:
    env = {"PATH": os.environ["PATH"], "HOME": str(here), "CHECKPOINT_DISABLE": "1", "TF_INPUT": "0"}
    done = subprocess.run(
        [engine, *words, "-no-color"],
        cwd=here,
        env=env | variables,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def test_an_ephemeral_value_may_be_another_one_at_the_apply(engine: str, tmp_path: Path) -> None:
    """As `PROD_PLAN_TF_VAR_token` and `PROD_APPLY_TF_VAR_token` set it. OpenTofu 1.11 refuses that, see docs/identity.md."""
    if _version(engine, tmp_path) < (1, 10):
        pytest.skip("this version has no ephemeral variables")
    (tmp_path / "main.tf").write_text(CONFIGURATION)
    call(engine, tmp_path, "init")
    call(engine, tmp_path, "plan", "-out=plan", TF_VAR_token="of-the-plan")
    assert "1 added" in call(engine, tmp_path, "apply", "plan", TF_VAR_token="of-the-apply")
    state = (tmp_path / "terraform.tfstate").read_text()
    assert "of-the-plan" not in state
    assert "of-the-apply" not in state


def test_another_value_is_ignored_with_the_plan(engine: str, tmp_path: Path) -> None:
    """A variable that is not ephemeral is part of the plan, so what was planned is applied."""
    if _version(engine, tmp_path) < (1, 11):
        pytest.skip("1.10 refuses it")
    (tmp_path / "main.tf").write_text(CONFIGURATION)
    call(engine, tmp_path, "init")
    call(engine, tmp_path, "plan", "-out=plan", TF_VAR_token="x", TF_VAR_plain="of-the-plan")
    call(engine, tmp_path, "apply", "plan", TF_VAR_token="x", TF_VAR_plain="of-the-apply")
    state = (tmp_path / "terraform.tfstate").read_text()
    assert "of-the-plan" in state
    assert "of-the-apply" not in state


def _version(engine: str, here: Path) -> tuple[int, ...]:
    said = call(engine, here, "version").split()[1].removeprefix("v")
    return tuple(int(part) for part in said.split("-")[0].split(".")[:2])
