"""Which of the variables of a call are redacted by their names."""

from __future__ import annotations

from pathlib import Path

from bot.domain.ports.terraform import WorkDir
from bot.terraform.cli.env import secrets_of


def test_what_is_called_like_a_secret_unless_it_is_known_to_be_none() -> None:
    env = {"API_KEY": "a-key", "TF_VAR_key_name": "deploy", "AWS_REGION": "eu-west-1"}
    assert set(secrets_of(WorkDir(Path("/x"), env), {"TF_HTTP_PASSWORD": "p"})) == {"a-key", "deploy", "p"}
    listed = WorkDir(Path("/x"), env, settings=frozenset(["TF_VAR_key_name"]))
    assert set(secrets_of(listed, {"TF_HTTP_PASSWORD": "p"})) == {"a-key", "p"}
