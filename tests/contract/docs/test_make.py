"""Targets of make that are named anywhere exist, and those that people type are in `make help`."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[3]
MAKEFILE = (ROOT / "Makefile").read_text()
TARGETS = set(re.findall(r"^([a-z][a-z-]*):", MAKEFILE, re.MULTILINE))
PAGES = [
    ROOT / "README.md",
    ROOT / ".ci/run",
    ROOT / ".pre-commit-config.yaml",
    *sorted((ROOT / "docs").glob("*.md")),
]


def dry(*targets: str) -> str:
    """Return what make would run."""
    command = ["make", "--dry-run", "--always-make", *targets]
    return subprocess.run(
        command, cwd=ROOT, check=True, capture_output=True, text=True, timeout=60, stdin=subprocess.DEVNULL
    ).stdout


@pytest.mark.parametrize("page", PAGES, ids=[page.name for page in PAGES])
def test_targets_that_are_named_exist(page: Path) -> None:
    named = re.findall(r"^\s*make ([a-z-]+)|`(?:\S+ )?make ([a-z-]+)", page.read_text(), re.MULTILINE)
    assert {one or other for one, other in named} <= TARGETS


def test_every_target_is_declared_phony() -> None:
    (line,) = re.findall(r"^\.PHONY: (.*)$", MAKEFILE, re.MULTILINE)
    assert set(line.split()) == TARGETS


def test_help_lists_what_people_type() -> None:
    listed = set(re.findall(r"^  make ([a-z-]+) ", dry_help(), re.MULTILINE))
    assert listed == TARGETS - {"lint", "types", "contracts", "unit"}


def dry_help() -> str:
    command = ["make", "--no-print-directory", "help"]
    return subprocess.run(command, cwd=ROOT, check=True, capture_output=True, text=True, timeout=60).stdout


@pytest.mark.parametrize("target", ["demo", "tour", "setup"])
def test_the_demo_installs_no_development_tool(target: str) -> None:
    installed = re.findall(r"--requirement (\S+)|-r (\S+)", dry(target))
    assert {one or other for one, other in installed} == {"requirements-uv.lock", "requirements.lock"}


@pytest.mark.parametrize("target", ["check", "test", "lint", "types", "bench", "docs", "setup-dev"])
def test_the_tools_are_installed_by_what_uses_them(target: str) -> None:
    assert "--require-hashes -r requirements-dev.lock" in dry(target)


@pytest.mark.parametrize("target", ["setup", "setup-dev"])
def test_nothing_is_installed_without_its_hash(target: str) -> None:
    lines = [line for line in dry(target).splitlines() if " pip install " in line]
    assert len(lines) == 3
    for line in lines:
        assert "--require-hashes" in line or line.endswith("--editable .")
        assert "--no-deps" in line
