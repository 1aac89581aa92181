"""Terraform on a user's own machine: a checkout of the sample, with credentials from `towpath state login`."""

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
PROMPT = "Enter a value:"
"""What Terraform prints after it has locked the state and planned, when it asks for confirmation."""
TIMEOUT = 60.0
"""Seconds that a command may take."""


class Laptop:
    """A user's machine with main checked out and access to staging's cloud. Runs one command at a time."""

    def __init__(self, story: Story, owner: str) -> None:
        self._story, self._owner = story, owner
        self._directory = story.world.directory / f"laptop-of-{owner}"
        self._output = self._directory / "output"
        self._environment: dict[str, str] = {}
        self._engine = ""
        self._process: subprocess.Popen[bytes] | None = None

    def login(self) -> None:
        """Check out main, run `towpath state login`, and `terraform init` with the backend that it writes."""
        self._check_out()
        words = ["state", "login", "--url", self._story.world.bot.url, "--repository", REPOSITORY]
        words += ["--env", ENVIRONMENT]
        self._narrate(f"towpath {' '.join(words)}")
        token = self._story.world.github.state.user(self._owner).token
        done = subprocess.run(
            [sys.executable, "-m", "bot", *words, "--json"],
            env=self._environment | {"GITHUB_TOKEN": token},
            capture_output=True,
            text=True,
            check=False,
        )
        self._story.check("towpath state login succeeds", true=done.returncode == 0, seen=done.stderr)
        credentials = json.loads(done.stdout)
        self._environment |= {
            "TF_HTTP_USERNAME": credentials["username"],
            "TF_HTTP_PASSWORD": credentials["password"],
            "TF_HTTP_RETRY_MAX": "30",
        }
        self.start("init", f"-backend-config={credentials['backend_config']}")
        self.finish()

    def start(self, command: str, *flags: str) -> None:
        """Start `terraform <command>`."""
        self._narrate(f"terraform {command}")
        with self._output.open("wb") as output:
            self._process = subprocess.Popen(
                [self._engine, command, *flags, "-no-color"],
                cwd=self._directory / "infra",
                env=self._environment,
                stdin=subprocess.PIPE,
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )

    def wait_for_prompt(self) -> None:
        """Wait until Terraform holds the state's lock, has planned, and asks for confirmation."""
        self._story.wait_for(
            "Terraform asks for confirmation", lambda: PROMPT in self.output, lambda: self.output
        )

    def confirm(self) -> None:
        """Answer Terraform's prompt with yes, and wait until it succeeds."""
        self._narrate("yes")
        self.finish(answer=b"yes\n")

    def finish(self, *, ok: bool = True, answer: bytes = b"") -> str:
        """Wait until the command ends, check whether it succeeded (`ok`) or failed, and return its output."""
        if self._process is None:
            raise RuntimeError("no command was started")
        self._process.communicate(answer, TIMEOUT)
        expected = "Terraform succeeds" if ok else "Terraform fails"
        self._story.check(expected, true=(self._process.returncode == 0) == ok, seen=self.output)
        return self.output

    @property
    def output(self) -> str:
        """Terraform's output so far on one line, without the frames that it draws around errors."""
        return " ".join(self._output.read_text(errors="replace").replace("│", " ").split())

    def close(self) -> None:
        """Kill a command that is still running."""
        if self._process is not None and self._process.poll() is None:
            with suppress(ProcessLookupError):
                os.killpg(self._process.pid, signal.SIGKILL)
            self._process.communicate()

    def _check_out(self) -> None:
        world = self._story.world
        for path, content in sample.files({ENVIRONMENT: world.service.address(ENVIRONMENT)}).items():
            file = self._directory / path
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_bytes(content)
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

    def _narrate(self, text: str) -> None:
        self._story.narrator.action(self._owner, "the laptop", text)
