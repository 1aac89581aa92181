"""A Terraform that can be held: it notes each call, and waits before it as long as a file is there."""

from __future__ import annotations

from pathlib import Path

from bot.playground.world import until

_SCRIPT = """#!/bin/sh
echo "$1 $PWD" >> '{directory}/calls'
while [ -e '{directory}/'"$1" ]; do sleep 0.05; done
exec '{terraform}' "$@"
"""


class Holds:
    """`executable` is for TOWPATH_TERRAFORM_BIN. Commands are Terraform's: `init`, `plan`, `show`, `apply`."""

    def __init__(self, directory: Path, terraform: str) -> None:
        self.directory = directory
        directory.mkdir(parents=True)
        self.executable = directory / "terraform-held"
        self.executable.write_text(_SCRIPT.format(directory=directory, terraform=terraform))
        self.executable.chmod(0o755)

    def begin(self) -> None:
        """For another test: nothing was called, and nothing is held."""
        self.clear()
        (self.directory / "calls").unlink(missing_ok=True)

    def hold(self, command: str) -> None:
        (self.directory / command).touch()

    def release(self, command: str) -> None:
        (self.directory / command).unlink(missing_ok=True)

    def clear(self) -> None:
        """Let everything go on."""
        for path in self.directory.iterdir():
            if path.name not in ("calls", self.executable.name):
                path.unlink()

    def calls(self, command: str) -> list[str]:
        """The directories in which Terraform was called with `command`, oldest first."""
        try:
            lines = (self.directory / "calls").read_text().splitlines()
        except FileNotFoundError:
            return []
        return [place for word, _, place in (line.partition(" ") for line in lines) if word == command]

    def await_call(self, command: str, times: int = 1) -> None:
        """Until `command` was called so often."""
        until(lambda: len(self.calls(command)) >= times, what=f"call {times} of terraform {command}")
