"""The hooks of pre-commit: they need nothing from elsewhere, and the one for commit subjects counts right."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

ROOT = Path(__file__).parents[3]
CONFIG = ROOT / ".pre-commit-config.yaml"


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    """A repository with our hooks and our programs: pre-commit may put changes aside, so it is not this one."""
    subprocess.run(["git", "init", "-q", str(tmp_path)], check=True, timeout=60)
    shutil.copy(CONFIG, tmp_path)
    (tmp_path / ".venv").symlink_to(sys.prefix)
    subprocess.run(["git", "add", CONFIG.name], cwd=tmp_path, check=True, timeout=60)
    return tmp_path


def hook(repository: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "pre_commit", "run", *arguments],
        cwd=repository,
        env=os.environ | {"PRE_COMMIT_HOME": str(repository / "home")},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )


def test_nothing_is_fetched() -> None:
    config = yaml.safe_load(CONFIG.read_text())
    (local,) = config["repos"]
    assert local["repo"] == "local"
    assert {one["language"] for one in local["hooks"]} == {"system"}
    assert all(one["entry"].startswith(".venv/bin/") for one in local["hooks"])


@pytest.mark.parametrize(
    ("subject", "taken"),
    [
        ("Split runtime and development requirements", True),
        ("x" * 72, True),
        ("x" * 73, False),
        ("ü" * 72, True),
        ("Short\n\n" + "x" * 100, True),
    ],
)
def test_the_subject_of_a_commit(repository: Path, subject: str, taken: bool) -> None:
    message = repository / "message"
    message.write_text(subject + "\n")
    done = hook(
        repository, "commit-subject", "--hook-stage", "commit-msg", "--commit-msg-filename", str(message)
    )
    assert (done.returncode == 0) is taken, done.stdout
    assert taken or "73 characters" in done.stdout


def test_unformatted_code_is_not_committed(repository: Path) -> None:
    (repository / "one.py").write_text("x = {'a':1}\n")
    subprocess.run(["git", "add", "one.py"], cwd=repository, check=True, timeout=60)
    done = hook(repository)
    assert done.returncode == 1
    assert "files were modified by this hook" in done.stdout
    assert (repository / "one.py").read_text() == 'x = {"a": 1}\n'
