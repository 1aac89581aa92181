"""The lock files fit pyproject.toml and each other, and pin everything by hash."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

import pytest
from packaging.markers import default_environment
from packaging.requirements import Requirement

ROOT = Path(__file__).parents[3]
RUNTIME, DEV, UV = "requirements.lock", "requirements-dev.lock", "requirements-uv.lock"
each = pytest.mark.parametrize("name", [RUNTIME, DEV, UV])
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())
STATED = PROJECT["project"]["dependencies"] + PROJECT["project"]["optional-dependencies"]["demo"]
TOOLS = PROJECT["dependency-groups"]["dev"]


def entries(name: str) -> list[str]:
    """Return each pinned package with its marker and hashes."""
    text = (ROOT / name).read_text()
    return re.findall(r"^[a-z0-9][^\n]*(?:\n +--hash=[^\n]*)*", text, re.MULTILINE)


def versions(name: str) -> dict[str, str]:
    """Return the version of each package, as Python and the system running this take it."""
    pinned = [Requirement(entry.partition(" \\\n")[0]) for entry in entries(name)]
    here = [one for one in pinned if one.marker is None or one.marker.evaluate(dict(default_environment()))]
    return {one.name: str(one.specifier).removeprefix("==") for one in here}


@each
def test_everything_is_pinned_by_hash(name: str) -> None:
    assert entries(name)
    for entry in entries(name):
        assert re.match(r"[a-z0-9-]+==\S+ ", entry), entry
        assert " --hash=sha256:" in entry, entry


@each
def test_no_address_is_named(name: str) -> None:
    text = (ROOT / name).read_text()
    assert "://" not in text
    assert "index-url" not in text
    assert " @ " not in text


@pytest.mark.parametrize("name", [RUNTIME, UV])
def test_the_small_locks_are_parts_of_the_large_one(name: str) -> None:
    assert set(entries(name)) - set(entries(DEV)) == set()


@pytest.mark.parametrize(("name", "stated"), [(RUNTIME, STATED), (DEV, [*STATED, *TOOLS])])
def test_a_lock_fits_what_pyproject_states(name: str, stated: list[str]) -> None:
    locked = versions(name)
    for requirement in map(Requirement, stated):
        assert requirement.name in locked, f"{requirement}: run `make lock`"
        assert requirement.specifier.contains(locked[requirement.name]), f"{requirement}: run `make lock`"


def test_no_development_tool_is_in_the_runtime() -> None:
    assert {Requirement(tool).name for tool in TOOLS} & set(versions(RUNTIME)) == set()


def test_the_build_backend_is_the_one_that_is_locked() -> None:
    (backend,) = map(Requirement, PROJECT["build-system"]["requires"])
    assert backend.specifier.contains(versions(DEV)[backend.name])
