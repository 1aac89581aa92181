"""A stand-in with acme/infra, an open pull request of ann's, and the adapter by App and by token."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.integration.github.world import World, make


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    made = make(tmp_path / "git")
    yield made
    made.close()


@pytest.fixture(params=["app", "token"])
def either(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[World]:
    """The same twice: by App and by token."""
    made = make(tmp_path / "git", token=request.param == "token")
    yield made
    made.close()
