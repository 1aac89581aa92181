"""Services from Python wheels, each in a virtual environment of its own."""

from __future__ import annotations

import hashlib
import shutil
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

from bot.errors import UserError
from bot.filesystem import remove_tree

COMPLETE = ".complete"
"""A file that says that an installation ended well."""
TIMEOUT = 900.0
"""Seconds for the installation of one service."""


def environment_of(directory: Path, packages: Sequence[str]) -> Path:
    """Return where the virtual environment for these packages is, or will be."""
    text = "\n".join([*packages, sys.version])
    return directory / hashlib.sha256(text.encode()).hexdigest()[:16]


def install(directory: Path, packages: Sequence[str], environment: Mapping[str, str], log: Path) -> Path:
    """Return a virtual environment with these packages, installing them from wheels if they are not yet: nothing of a
    package runs while it is installed. Raises UserError, with the end of the log."""
    place = environment_of(directory, packages)
    if (place / COMPLETE).is_file():
        return place
    if place.exists():
        remove_tree(place)  # an installation that was interrupted
    uv = shutil.which("uv", path=environment.get("PATH"))
    python = str(place / "bin" / "python")
    if uv:
        steps = [
            [uv, "venv", "--quiet", "--python", sys.executable, str(place)],
            [uv, "pip", "install", "--python", python, "--only-binary", ":all:", *packages],
        ]
    else:
        steps = [
            [sys.executable, "-m", "venv", str(place)],
            [python, "-m", "pip", "install", "--only-binary", ":all:", *packages],
        ]
    with log.open("wb") as output:
        for step in steps:
            done = subprocess.run(
                step,
                env=dict(environment),
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                timeout=TIMEOUT,
                check=False,
            )
            if done.returncode:
                break
    if done.returncode:
        end = " ".join(log.read_text(errors="replace").split()[-40:])
        raise UserError(
            f"{', '.join(packages)} could not be installed: {end[-400:]}",
            next_step=f"Read {log}, and correct `wheel` in `envs/environments.toml`.",
        )
    (place / COMPLETE).touch()
    return place
