"""The runner that a workflow's step runs on: its event, and the files and commands by which it hears of results."""

from __future__ import annotations

import json
import secrets
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, TextIO

from bot.errors import UserError

SUMMARY = 1 << 20
"""GitHub: bytes of one step's summary."""


@dataclass(frozen=True)
class Runner:
    """variables: the process's environment. out: where commands to the runner go, which is standard output."""

    variables: Mapping[str, str]
    out: TextIO

    @property
    def repository(self) -> str:
        """`owner/name` in lower case."""
        return self.required("GITHUB_REPOSITORY").lower()

    @property
    def run_url(self) -> str:
        """The address of the workflow run, with its log."""
        return f"{self.required('GITHUB_SERVER_URL')}/{self.required('GITHUB_REPOSITORY')}/actions/runs/{self.required('GITHUB_RUN_ID')}"

    @property
    def seed(self) -> str:
        """What this attempt of this job is called. A re-run is a new attempt, and makes new runs."""
        parts = [self.required(f"GITHUB_{name}") for name in ("RUN_ID", "RUN_ATTEMPT", "JOB")]
        return f"actions:{':'.join(parts)}"

    @property
    def temporary(self) -> Path:
        return Path(self.required("RUNNER_TEMP"))

    def required(self, name: str) -> str:
        """Return a variable. Raises UserError if it is not set."""
        if value := self.variables.get(name, ""):
            return value
        raise UserError(
            f"{name} is not set: `towpath ci` runs in a workflow of GitHub Actions.",
            next_step="Write the workflows with `towpath setup actions`, and commit them.",
        )

    def event(self, name: str) -> dict[str, Any]:
        """Return the payload of the event that started the workflow. Raises UserError if it is another event than `name`."""
        if (found := self.required("GITHUB_EVENT_NAME")) != name:
            raise UserError(
                f"The workflow was started by `{found}`, and this command needs `{name}`.",
                next_step="Write the workflows again with `towpath setup actions`, and commit them.",
            )
        payload = json.loads(Path(self.required("GITHUB_EVENT_PATH")).read_text())
        return payload if isinstance(payload, dict) else {}

    def summarise(self, text: str) -> None:
        """Add Markdown to the job's summary. What does not fit is left out."""
        if path := self.variables.get("GITHUB_STEP_SUMMARY"):
            with Path(path).open("ab") as file:
                room = SUMMARY - file.tell()
                file.write(f"{text}\n".encode()[: max(0, room)])

    def output(self, name: str, value: str) -> None:
        """Set an output of the step, for later steps and jobs."""
        end = secrets.token_hex(16)
        with Path(self.required("GITHUB_OUTPUT")).open("a") as file:
            file.write(f"{name}<<{end}\n{value}\n{end}\n")

    def annotate(self, level: Literal["error", "warning", "notice"], text: str, **where: str) -> None:
        """Show a message at a file and line, or for the whole job. where: `file`, `line`, `title`."""
        properties = ",".join(f"{name}={_property(value)}" for name, value in where.items() if value)
        self.print(f"::{level}{' ' if properties else ''}{properties}::{_data(text)}")

    @contextmanager
    def group(self, title: str) -> Iterator[None]:
        """Fold what is printed inside. It may contain anything: the runner takes no commands from it."""
        token = secrets.token_hex(16)
        self.print(f"::group::{_data(title)}")
        self.print(f"::stop-commands::{token}")
        try:
            yield
        finally:
            self.print(f"::{token}::")
            self.print("::endgroup::")

    def print(self, line: str) -> None:
        print(line, file=self.out, flush=True)


def _data(text: str) -> str:
    return text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _property(text: str) -> str:
    return _data(text).replace(":", "%3A").replace(",", "%2C")
