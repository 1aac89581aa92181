"""Somebody's own Terraform on the bot's states: a checkout of the sample, and the credentials of `towpath state login`."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from bot.playground import sample
from bot.playground.tour.story import Story
from bot.playground.world import REPOSITORY
from bot.terraform import discover

BACKEND = 'terraform {\n  backend "http" {}\n}\n'
ASKS = "Enter a value:"
"""What Terraform shows when it has locked the state, has planned, and waits for a yes."""


class Laptop:
    """`owner`'s machine, with main checked out and one environment's cloud within reach."""

    def __init__(self, story: Story, owner: str, environment: str) -> None:
        self._story, self._owner, self._environment = story, owner, environment
        world = story.world
        self.directory = world.directory / f"laptop-of-{owner}"
        for path, content in sample.files({environment: world.service.address(environment)}).items():
            place = self.directory / path
            place.parent.mkdir(parents=True, exist_ok=True)
            place.write_bytes(content)
        self._root = self.directory / "infra"
        (self._root / "backend.tf").write_text(BACKEND)
        self._engine = discover(path=os.environ.get("PATH"), data=self.directory / "engine").executable
        self._variables = {
            "PATH": os.environ.get("PATH", ""),
            "HOME": str(self.directory),
            "CHECKPOINT_DISABLE": "1",
            "TF_CLI_CONFIG_FILE": world.environment()["TOWPATH_TERRAFORM_CLI_CONFIG"],
            "PLAYGROUND_CLOUD_DIR": str(world.clouds[environment].directory),
            "PLAYGROUND_TOKEN": world.token(environment),
        }

    def login(self) -> None:
        """`towpath state login`, and `terraform init` with what it has written."""
        words = ["state", "login", "--url", self._story.world.bot.url, "--repository", REPOSITORY]
        words += ["--env", self._environment]
        self._says(f"towpath {' '.join(words)}")
        token = self._story.world.github.state.user(self._owner).token
        done = subprocess.run(
            [sys.executable, "-m", "bot", *words, "--json"],
            env=self._variables | {"GITHUB_TOKEN": token},
            capture_output=True,
            text=True,
            check=False,
        )
        self._story.check("towpath state login succeeds", true=done.returncode == 0, seen=done.stderr)
        given = json.loads(done.stdout)
        self._variables |= {
            "TF_HTTP_USERNAME": given["username"],
            "TF_HTTP_PASSWORD": given["password"],
            "TF_HTTP_RETRY_MAX": "30",
        }
        self.terraform("init", f"-backend-config={given['backend_config']}")

    def terraform(self, *words: str, ok: bool = True) -> str:
        """What it prints, as one line, when it has ended, well or not (`ok`) as was expected."""
        with self._running(*words) as (process, log):
            process.wait(120)
            told = _line(log)
        self._story.check(
            f"terraform {words[0]} {'succeeds' if ok else 'fails'}",
            true=(process.returncode == 0) == ok,
            seen=told,
        )
        return told

    @contextmanager
    def applying(self) -> Iterator[None]:
        """In the middle of `terraform apply`: it holds the state, and asks. At the end its owner says yes."""
        with self._running("apply", f"-var-file=../envs/{self._environment}.tfvars") as (process, log):
            self._story.sees(
                "Terraform asks whether to go on",
                lambda: ASKS in log.read_text() or process.poll() is not None,
                lambda: _line(log),
            )
            self._story.reads(_line(log), ASKS)
            yield
            self._says("yes")
            process.communicate(b"yes\n", timeout=120)
            self._story.reads(_line(log), "Apply complete")

    @contextmanager
    def _running(self, *words: str) -> Iterator[tuple[subprocess.Popen[bytes], Path]]:
        """Terraform at work, and the file that it prints to; it does not outlive the block."""
        self._says(f"terraform {' '.join(word for word in words if not word.startswith('-'))}")
        log = self.directory / "printed"
        with log.open("wb") as printed:
            process = subprocess.Popen(
                [self._engine, *words, "-no-color"],
                cwd=self._root,
                env=self._variables,
                stdin=subprocess.PIPE,
                stdout=printed,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        try:
            yield process, log
        finally:
            with suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
            process.communicate()

    def _says(self, text: str) -> None:
        self._story.narrator.said(self._owner, "the laptop", text)


def _line(log: Path) -> str:
    """Terraform's words without the frames that it draws around errors."""
    return " ".join(log.read_text(errors="replace").replace("│", " ").split())
