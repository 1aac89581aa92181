"""The built wheel, and an environment with what an install without extras brings.

What the wheel can import there is what `pip install towpath` brings, and no development tool.
"""

from __future__ import annotations

import os
import subprocess
import sys
import sysconfig
from collections.abc import Callable
from importlib import metadata
from pathlib import Path

import pytest
from packaging.requirements import Requirement

ROOT = Path(__file__).parents[3]

Run = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture(scope="session")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Built as pip builds it, by the backend that pyproject.toml names."""
    directory = tmp_path_factory.mktemp("dist")
    command = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(directory)]
    subprocess.run(command, cwd=ROOT, check=True, capture_output=True, text=True, timeout=120)
    (built,) = directory.glob("towpath-*.whl")
    return built


@pytest.fixture(scope="session")
def installed(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A virtual environment with the wheel in it, and its dependencies behind it; returns its `bin`.

    A .pth line adds a directory and runs none of the .pth files there, so the checkout, which this environment may
    have been installed from for editing, stays out of sight.
    """
    directory = tmp_path_factory.mktemp("installed")
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", str(directory)], check=True, timeout=120)
    python = directory / "bin" / "python"
    uv = str(Path(sys.executable).with_name("uv"))
    command = [
        uv,
        "pip",
        "install",
        "--python",
        str(python),
        "--no-deps",
        "--offline",
        "--no-cache",
        str(wheel),
    ]
    subprocess.run(command, check=True, capture_output=True, timeout=120)
    (site,) = directory.glob("lib/python3*/site-packages")
    (information,) = site.glob("towpath-*.dist-info")
    stated = metadata.PathDistribution(information).requires or []
    libraries = directory / "libraries"
    libraries.mkdir()
    for name in tops(dependencies([Requirement(line) for line in stated])):
        (libraries / name).symlink_to(Path(sysconfig.get_path("purelib"), name))
    (site / "libraries.pth").write_text(f"{libraries}\n")
    return python.parent


def dependencies(requirements: list[Requirement]) -> dict[str, metadata.Distribution]:
    """Return what the requirements bring without extras of ours, by name."""
    found: dict[str, metadata.Distribution] = {}
    waiting = [(requirement, "") for requirement in requirements]
    seen: set[tuple[str, str]] = set()
    while waiting:
        requirement, extra = waiting.pop()
        if requirement.marker and not requirement.marker.evaluate({"extra": extra}):
            continue
        one = metadata.distribution(requirement.name)
        found[requirement.name] = one
        asked = {(requirement.name, own) for own in ("", *requirement.extras)} - seen
        seen |= asked
        waiting += [(Requirement(line), own) for _, own in asked for line in one.requires or []]
    return found


def tops(distributions: dict[str, metadata.Distribution]) -> set[str]:
    """Return the names in site-packages that belong to them."""
    parts = {file.parts[0] for one in distributions.values() for file in one.files or []}
    return parts - {"..", "__pycache__"}


@pytest.fixture
def run(installed: Path, tmp_path: Path) -> Run:
    """Runs one of its programs in an empty directory."""

    def go(program: str, *arguments: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [str(installed / program), *arguments],
            cwd=tmp_path,
            env={"PATH": os.environ["PATH"], "HOME": str(tmp_path), "TERM": "dumb", "COLUMNS": "200"},
            capture_output=True,
            text=True,
            stdin=subprocess.DEVNULL,
            timeout=120,
            check=False,
        )

    return go
