"""Somebody's own Terraform on the bot's states: a checkout of the sample, and the credentials of `towpath state login`."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from contextlib import suppress

from bot.playground import sample
from bot.playground.tour.story import Story
from bot.playground.world import REPOSITORY
from bot.terraform import discover

ENVIRONMENT = "staging"
VARIABLES = f"-var-file=../envs/{ENVIRONMENT}.tfvars"
BACKEND = 'terraform {\n  backend "http" {}\n}\n'
ASKS = "Enter a value:"
"""What Terraform shows when it has locked the state, has planned, and waits for a yes."""
PATIENCE = 60.0
"""Seconds that a command may take."""


class Laptop:
    """`owner`'s machine, with main checked out and staging's cloud within reach. One command runs at a time."""

    def __init__(self, story: Story, owner: str) -> None:
        self._story, self._owner = story, owner
        self._directory = story.world.directory / f"laptop-of-{owner}"
        self._printed = self._directory / "printed"
        self._environment: dict[str, str] = {}
        self._engine = ""
        self._process: subprocess.Popen[bytes] | None = None

    def login(self) -> None:
        """Check main out, sign in with `towpath state login`, and `terraform init` with what it has written."""
        self._check_out()
        words = ["state", "login", "--url", self._story.world.bot.url, "--repository", REPOSITORY]
        words += ["--env", ENVIRONMENT]
        self._says(f"towpath {' '.join(words)}")
        token = self._story.world.github.state.user(self._owner).token
        done = subprocess.run(
            [sys.executable, "-m", "bot", *words, "--json"],
            env=self._environment | {"GITHUB_TOKEN": token},
            capture_output=True,
            text=True,
            check=False,
        )
        self._story.check("towpath state login succeeds", true=done.returncode == 0, seen=done.stderr)
        given = json.loads(done.stdout)
        self._environment |= {
            "TF_HTTP_USERNAME": given["username"],
            "TF_HTTP_PASSWORD": given["password"],
            "TF_HTTP_RETRY_MAX": "30",
        }
        self.begin("init", f"-backend-config={given['backend_config']}")
        self.ended()

    def begin(self, command: str, *flags: str) -> None:
        """`owner` starts `terraform <command>`."""
        self._says(f"terraform {command}")
        with self._printed.open("wb") as printed:
            self._process = subprocess.Popen(
                [self._engine, command, *flags, "-no-color"],
                cwd=self._directory / "infra",
                env=self._environment,
                stdin=subprocess.PIPE,
                stdout=printed,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )

    def asks(self) -> None:
        """Terraform holds the state, has planned, and waits for a yes."""
        self._story.sees(
            "Terraform asks whether to go on", lambda: ASKS in self.printed, lambda: self.printed
        )

    def says_yes(self) -> None:
        self._says("yes")
        self.ended(answer=b"yes\n")

    def ended(self, *, ok: bool = True, answer: bytes = b"") -> str:
        """What the command has printed at its end, which is a good one or not (`ok`) as was expected."""
        if self._process is None:
            raise RuntimeError("nothing was begun")
        self._process.communicate(answer, PATIENCE)
        expected = "Terraform succeeds" if ok else "Terraform refuses"
        self._story.check(expected, true=(self._process.returncode == 0) == ok, seen=self.printed)
        return self.printed

    @property
    def printed(self) -> str:
        """Terraform's words up to now in one line, without the frames that it draws around errors."""
        return " ".join(self._printed.read_text(errors="replace").replace("│", " ").split())

    def close(self) -> None:
        """End what still runs."""
        if self._process is not None and self._process.poll() is None:
            with suppress(ProcessLookupError):
                os.killpg(self._process.pid, signal.SIGKILL)
            self._process.communicate()

    def _check_out(self) -> None:
        world = self._story.world
        for path, content in sample.files({ENVIRONMENT: world.service.address(ENVIRONMENT)}).items():
            place = self._directory / path
            place.parent.mkdir(parents=True, exist_ok=True)
            place.write_bytes(content)
        (self._directory / "infra" / "backend.tf").write_text(BACKEND)
        path = os.environ.get("PATH", "")
        self._engine = discover(path=path, data=self._directory / "engine").executable
        self._environment = {
            "PATH": path,
            "HOME": str(self._directory),
            "CHECKPOINT_DISABLE": "1",
            "TF_CLI_CONFIG_FILE": world.environment()["TOWPATH_TERRAFORM_CLI_CONFIG"],
            "PLAYGROUND_CLOUD_DIR": str(world.clouds[ENVIRONMENT].directory),
            "PLAYGROUND_TOKEN": world.token(ENVIRONMENT),
        }

    def _says(self, text: str) -> None:
        self._story.narrator.said(self._owner, "the laptop", text)
