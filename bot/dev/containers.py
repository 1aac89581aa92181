"""Containers, through the command line of docker or podman."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from bot.errors import UserError

ENGINES = ("docker", "podman")
ASKED = 5.0
"""Seconds in which an engine must say that it works."""
PULLED = 1800.0
"""Seconds for a container to start, which may first download its image."""
STOPPED = 10
"""Seconds that a container gets to end by itself."""


@dataclass(frozen=True)
class ContainerEngine:
    """docker or podman, or why there is neither. program: its path, "" if there is none that works."""

    program: str
    problem: str = ""

    @property
    def name(self) -> str:
        return Path(self.program).name

    def run_argv(self, name: str, image: str, ports: Sequence[str], env: Mapping[str, str]) -> list[str]:
        """Return the command that starts a container. Ports are published on loopback alone. Values of variables come from
        the environment: anybody can list a command's arguments."""
        published = [word for port in ports for word in ("--publish", f"127.0.0.1:{port}")]
        variables = [word for variable in env for word in ("--env", variable)]
        return [self.program, "run", "--detach", "--name", name, *published, *variables, image]

    def run(
        self, name: str, image: str, ports: Sequence[str], env: Mapping[str, str], ours: Mapping[str, str]
    ) -> None:
        """Start a container, instead of one that has its name. ours: the environment of the command. Raises UserError."""
        self._call("rm", "--force", "--volumes", name)
        argv = self.run_argv(name, image, ports, env)
        done = subprocess.run(
            argv, env={**ours, **env}, capture_output=True, text=True, timeout=PULLED, check=False
        )
        if done.returncode:
            self._call("rm", "--force", "--volumes", name)
            reason = " ".join(done.stderr.split()[-60:])
            raise UserError(
                f"`{image}` did not start: {reason[-500:]}",
                next_step=f"Try `{self.name} run {image}` by hand.",
            )

    def is_running(self, name: str) -> bool:
        """Whether the container runs."""
        return self._call("inspect", "--format", "{{.State.Running}}", name) == "true"

    def stop(self, name: str) -> bool:
        """Stop and remove the container; return whether it was running."""
        ran = self.is_running(name)
        if ran:
            self._call("stop", "--time", str(STOPPED), name)
        self._call("rm", "--force", "--volumes", name)
        return ran

    def last_lines(self, name: str, lines: int) -> str:
        """Return the end of what it wrote."""
        argv = [self.program, "logs", "--tail", str(lines), name]
        done = subprocess.run(argv, capture_output=True, text=True, timeout=ASKED, check=False)
        return (done.stdout + done.stderr).strip()

    def _call(self, *words: str) -> str:
        """Return what a command printed, "" if it failed."""
        done = subprocess.run(
            [self.program, *words], capture_output=True, text=True, timeout=STOPPED + 60.0, check=False
        )
        return done.stdout.strip() if done.returncode == 0 else ""


def find_engine(environment: Mapping[str, str]) -> ContainerEngine:
    """Return the first container engine on PATH that answers, or one without a program that says what is missing."""
    problem = "neither docker nor podman is on PATH"
    for name in ENGINES:
        program = shutil.which(name, path=environment.get("PATH"))
        if program is None:
            continue
        try:
            # docker's client prints a version even where nothing answers it
            asked = [
                program,
                "info",
                "--format",
                "{{.Driver}}" if name == "docker" else "{{.Store.GraphDriverName}}",
            ]
            done = subprocess.run(
                asked, env=dict(environment), capture_output=True, text=True, timeout=ASKED, check=False
            )
        except (OSError, subprocess.TimeoutExpired):
            problem = f"{name} does not answer"
            continue
        if done.returncode == 0:
            return ContainerEngine(program)
        problem = (
            f"{name} does not work: {' '.join(done.stderr.split())[:200] or f'exit code {done.returncode}'}"
        )
    return ContainerEngine("", problem.rstrip("."))
