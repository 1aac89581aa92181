"""The secrets file: what it sets, and how a mistake is told without its content."""

from __future__ import annotations

from pathlib import Path

import pytest

from bot.domain.ports.secrets import SecretsUnavailable
from bot.secrets import read_file

SECRET = "hunter2-never-shown"


def test_what_a_file_sets(tmp_path: Path) -> None:
    path = tmp_path / "secrets.toml"
    assert read_file(path) == {}
    path.write_text('STAGING_TOKEN = "x"\nSTAGING_PORT = 5\nSTAGING_DEBUG = true\n')
    assert read_file(path) == {"STAGING_TOKEN": "x", "STAGING_PORT": "5", "STAGING_DEBUG": "true"}


@pytest.mark.parametrize(
    ("text", "told"),
    [
        (f"STAGING_TOKEN = {SECRET}\n", "is not valid TOML"),
        (f'[STAGING_TOKEN]\nx = "{SECRET}"\n', "`STAGING_TOKEN` in .* is not a text"),
        (f'STAGING_TOKEN = ["{SECRET}"]\n', "`STAGING_TOKEN` in .* is not a text"),
        (f'STAGING_TOKEN = "{SECRET}\\u0000"\n', "`STAGING_TOKEN` in .* is not a text"),
    ],
)
def test_a_broken_file_is_told_without_its_content(tmp_path: Path, text: str, told: str) -> None:
    path = tmp_path / "secrets.toml"
    path.write_text(text)
    with pytest.raises(SecretsUnavailable, match=told) as caught:
        read_file(path)
    assert SECRET not in f"{caught.value} {caught.value.by_hand}"
    assert "Write lines such as" in caught.value.next_step


def test_a_file_that_cannot_be_read_is_not_taken_for_none(tmp_path: Path) -> None:
    with pytest.raises(SecretsUnavailable, match="cannot be read: Is a directory"):
        read_file(tmp_path)
