"""Terraform's command lines, built by python-terraform's argument builder.

Nothing else of python-terraform is used: its own way to start a process inherits the whole environment, has no
timeout, and turns a misspelt method into a subcommand.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, NoReturn

import python_terraform

from bot.domain.ports.terraform import PlanOptions

FLAG = python_terraform.IsFlagged


class Command(python_terraform.Terraform):  # type: ignore[misc]
    """Builds argument lists for one executable. Each method returns a complete argv."""

    def __init__(self, executable: str) -> None:
        super().__init__(terraform_bin_path=executable, is_env_vars_included=False)

    def __getattr__(self, item: str) -> NoReturn:
        raise AttributeError(item)

    def cmd(self, *_args: object, **_options: object) -> NoReturn:
        """Disabled: bot.terraform.process.call starts Terraform."""
        raise NotImplementedError

    def read_state_file(self, file_path: str | None = None) -> None:
        """Disabled: python-terraform would read a state file from the current directory."""

    def init(self, backend_config: Mapping[str, str]) -> list[str]:
        return self._argv("init", input=False, no_color=FLAG, backend_config=dict(backend_config))

    def plan(self, out: Path, options: PlanOptions) -> list[str]:
        return self._argv(
            "plan",
            json=FLAG,
            input=False,
            lock=False,
            detailed_exitcode=FLAG,
            destroy=FLAG if options.destroy else None,
            refresh_only=FLAG if options.refresh_only else None,
            parallelism=options.parallelism,
            var_file=[str(path) for path in options.var_files],
            out=str(out),
        )

    def show(self, plan: Path) -> list[str]:
        return self._argv("show", str(plan), json=FLAG)

    def apply(self, plan: Path, *, parallelism: int | None = None) -> list[str]:
        options = {"json": FLAG, "input": False, "lock_timeout": "30s", "parallelism": parallelism}
        return self._argv("apply", str(plan), **options)

    def outputs(self) -> list[str]:
        return self._argv("output", json=FLAG, no_color=FLAG)

    def state_pull(self) -> list[str]:
        return self._argv("state pull")

    def state_push(self, state: Path) -> list[str]:
        return self._argv("state push", str(state), lock_timeout="30s")

    def _argv(self, command: str, *args: str, **options: Any) -> list[str]:
        # `var=None`: python-terraform writes a temporary var file for any mapping, even an empty one.
        argv: list[str] = self.generate_cmd_string(command, *args, var=None, **options)
        return argv
