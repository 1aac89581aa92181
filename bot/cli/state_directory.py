"""What an initialised directory on this machine says of its state: where it is, and which version Terraform gets."""

from __future__ import annotations

import json
import shutil
import subprocess
from pathlib import Path

from bot.domain.states import StateInfo, StatePlace, place_in
from bot.errors import UserError
from bot.settings import PREFIX, process_environment

TIMEOUT = 300.0
"""Seconds for `terraform state pull`."""
ENGINES = ("terraform", "tofu")


def initialised(directory: Path) -> bool:
    """Whether `terraform init` was run in it."""
    return (directory / ".terraform" / "terraform.tfstate").is_file()


def place_of_directory(directory: Path) -> StatePlace:
    """Return the backend that `init` configured, in the workspace that Terraform would use. Raises UserError."""
    try:
        content = (directory / ".terraform" / "terraform.tfstate").read_bytes()
        left = json.loads(content).get("backend") or {}
    except (OSError, ValueError, AttributeError):
        raise UserError(
            f"{directory}/.terraform/terraform.tfstate cannot be read.",
            next_step="Run `terraform init` in it.",
        ) from None
    chosen = directory / ".terraform" / "environment"
    selected = chosen.read_text().strip() if chosen.is_file() else ""
    return place_in(left, process_environment().get("TF_WORKSPACE") or selected)


def pulled(directory: Path) -> StateInfo | None:
    """Return what `terraform state pull` prints there, None if there is no state. It is this person's Terraform, with their
    environment, but for settings of the bot. Raises UserError."""
    engine = next(filter(None, map(shutil.which, ENGINES)), None)
    if engine is None:
        raise UserError(
            "Neither `terraform` nor `tofu` is on PATH.",
            next_step="Add `--file FILE` with the output of `terraform state pull`.",
        )
    environment = {
        name: value for name, value in process_environment().items() if not name.startswith(PREFIX)
    }
    try:
        done = subprocess.run(
            [engine, "state", "pull"],
            cwd=directory,
            env=environment,
            capture_output=True,
            timeout=TIMEOUT,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        raise UserError(
            f"`terraform state pull` did not work in {directory}: {type(error).__name__}."
        ) from None
    if done.returncode:
        lines = done.stderr.decode(errors="replace").replace("│", " ").split()
        raise UserError(
            f"`terraform state pull` failed in {directory}: {' '.join(lines)[:500]}",
            next_step="Check your credentials for the backend, and `terraform workspace show`.",
        )
    return parsed(done.stdout, "the output of `terraform state pull`")


def parsed(data: bytes, what: str) -> StateInfo | None:
    """Return what a state says about itself, None for an empty one. Raises UserError."""
    try:
        return StateInfo.parse(data) if data.strip() else None
    except ValueError as error:
        raise UserError(f"{what[0].upper()}{what[1:]} cannot be read: {error}.") from None


def bytes_of(file: Path) -> bytes:
    """Read a file. Raises UserError."""
    try:
        return file.read_bytes()
    except OSError as error:
        raise UserError(f"Cannot read {file}: {error.strerror}.") from None
