"""A checker with a bot's environment, and a directory for what its commands get."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from bot.domain.ports.smoke import Surroundings
from bot.smoke import Checker


@pytest.fixture
def checker() -> Checker:
    return Checker({"PATH": os.environ["PATH"], "TOWPATH_SECRET_KEY": "never-to-be-seen", "NO_PROXY": "*"})


@pytest.fixture
def around(tmp_path: Path) -> Surroundings:
    return Surroundings(tmp_path / "smoke")
