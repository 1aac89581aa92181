"""A checker with a bot's environment, and a directory for what its commands get."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from bot.domain.ports.smoke import Surroundings
from bot.sandbox import Access, landlock, open_sandbox
from bot.smoke import Checker


@pytest.fixture
def checker(tmp_path: Path) -> Checker:
    return Checker(
        {"PATH": os.environ["PATH"], "TOWPATH_SECRET_KEY": "never-to-be-seen", "NO_PROXY": "*"},
        open_sandbox(
            "landlock" if landlock.abi() else "off",
            os.environ,
            also=Access(writable=(str(tmp_path),)),
            hidden=[],
        ),
    )


@pytest.fixture
def around(tmp_path: Path) -> Surroundings:
    return Surroundings(tmp_path / "smoke")
