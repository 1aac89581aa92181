"""Clones with a policy, and `towpath dev` in them."""

from __future__ import annotations

import json
import logging
import os
import socket
import subprocess
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner, Result

import bot.cli.dev  # noqa: F401 - registers the commands
from bot.cli.main import app
from bot.errors import UserError

MAIN = """terraform {
  backend "s3" {}
}
variable "env" {
  default = "none"
}
resource "terraform_data" "web" {
  input = "${var.env} SIZE"
}
output "url" {
  value = "http://127.0.0.1:PORT"
}
"""
SERVER = "python3 -m http.server PORT --bind 127.0.0.1 --directory {data}"


def policy(port: int, *, command: str = SERVER, more: str = "") -> str:
    """The policy with one dependency, a web server at `port`."""
    return f"""[stack.infra]
root = "infra"
[env.dev]
needs = [{{ name = "pages", command = "{command.replace("PORT", str(port))}", ports = [{port}] }}]
smoke = [{{ http = "{{output.url}}/", within = "2s" }}]
[env.ci]
on_pull_request = "plan"
instance = "pr-{{pr}}"
[env.prod]
{more}"""


@dataclass
class Clone:
    """A working copy of acme/infra, on main."""

    top: Path
    port: int

    def write(self, files: Mapping[str, str]) -> None:
        for name, text in files.items():
            path = self.top / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text)

    def git(self, *words: str) -> str:
        done = subprocess.run(
            ["git", "-c", "user.name=ann", "-c", "user.email=ann@example.com", *words],
            cwd=self.top,
            check=True,
            capture_output=True,
            text=True,
        )
        return done.stdout.strip()

    def commit(self, files: Mapping[str, str]) -> None:
        self.write(files)
        self.git("add", "--all")
        self.git("commit", "--quiet", "--message", "a change")

    def main_tf(self, size: str) -> str:
        return MAIN.replace("SIZE", size).replace("PORT", str(self.port))

    def run(self, *words: str) -> Result:
        """`towpath dev …`, in this process."""
        result = CliRunner().invoke(app, ["dev", *words])
        if result.exception and not isinstance(result.exception, SystemExit | UserError):
            raise result.exception
        return result

    def told(self, *words: str) -> dict[str, Any]:
        """What the command prints as JSON. Its exit code is 0 only if that says so."""
        result = self.run(*words, "--json")
        found: dict[str, Any] = json.loads(result.stdout)
        assert found["ok"] == (result.exit_code == 0)
        return found

    def refused(self, *words: str) -> UserError:
        result = self.run(*words)
        assert isinstance(result.exception, UserError), result.output
        return result.exception

    def answers(self) -> bool:
        """Whether the web server accepts connections."""
        with socket.socket() as probe:
            return probe.connect_ex(("127.0.0.1", self.port)) == 0


@pytest.fixture
def clone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, free_port: int) -> Iterator[Clone]:
    top = tmp_path / "infra"
    top.mkdir()
    made = Clone(top, free_port)
    made.git("init", "--quiet", "--initial-branch=main")
    made.git("remote", "add", "origin", "git@github.com:acme/infra.git")
    made.commit(
        {
            "infra/main.tf": made.main_tf("small"),
            "envs/environments.toml": policy(free_port),
            "envs/dev.tfvars": 'env = "dev"\n',
            "envs/ci.tfvars": 'env = "ci"\n',
        }
    )
    monkeypatch.chdir(top)
    for name in [name for name in os.environ if name.startswith("TOWPATH_")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("TOWPATH_SANDBOX", os.environ.get("TOWPATH_SANDBOX", "landlock"))
    handlers, level = logging.getLogger().handlers[:], logging.getLogger().level
    yield made
    logging.getLogger().handlers[:], logging.getLogger().level = handlers, level
    if (top / ".towpath").is_dir():
        made.run("down", "--keep")


@pytest.fixture
def free_port() -> int:
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return int(found.getsockname()[1])
