from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from bot.domain.ports.git import Remote
from bot.git import Mirrors
from tests.integration.git.server import GitServer
from tests.integration.git.work import Work


@pytest.fixture
def server(tmp_path: Path) -> Iterator[GitServer]:
    with GitServer(tmp_path / "served").running() as running:
        yield running


@pytest.fixture
def work(tmp_path: Path, server: GitServer) -> Work:
    """ann's clone of acme/infra with one commit."""
    clone = Work(tmp_path / "ann", server.root / "acme" / "infra.git")
    clone.write("infra/main.tf", 'resource "terraform_data" "a" {}\n')
    clone.write("envs/dev.tfvars", "size = 1\n")
    clone.commit("first")
    return clone


@pytest.fixture
def remote(server: GitServer) -> Remote:
    return Remote("acme/infra", f"{server.url}/acme/infra.git")


@pytest.fixture
def mirrors(tmp_path: Path) -> Mirrors:
    return Mirrors(tmp_path / "data")
