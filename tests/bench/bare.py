"""Terraform by hand, as a person would: what the bot is measured against in the same run."""

from __future__ import annotations

import os
import shutil
import subprocess
import time
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path


def seconds(work: Callable[[], object]) -> float:
    """How long `work` took."""
    began = time.perf_counter()
    work()
    return time.perf_counter() - began


class Bare:
    """One clone, one root module, the engine that the bot uses."""

    def __init__(self, engine: str, clone_url: str, directory: Path, environment: Mapping[str, str]) -> None:
        self.engine, self.clone_url, self.directory = engine, clone_url, directory
        self.environment = {
            "PATH": os.environ["PATH"],
            "HOME": str(directory),
            "CHECKPOINT_DISABLE": "1",
            "TF_INPUT": "0",
            **environment,
        }

    def clone(self, branch: str) -> None:
        """A fresh clone of one branch."""
        shutil.rmtree(self.directory, ignore_errors=True)
        self._run(["git", "clone", "-q", "--branch", branch, self.clone_url, str(self.directory)], Path("/"))

    def init(self, root: str) -> None:
        self._run([self.engine, "init", "-no-color"], self.directory / root)

    def plan(self, root: str, var_file: str) -> None:
        """`plan -out`, then `show -json`."""
        at = self.directory / root
        self._run(
            [
                self.engine,
                "plan",
                "-no-color",
                "-lock=false",
                "-out=bare.tfplan",
                f"-var-file={self.directory / var_file}",
            ],
            at,
        )
        self._run([self.engine, "show", "-json", "bare.tfplan"], at)

    def apply(self, root: str) -> None:
        """Apply the plan that was made last."""
        self._run([self.engine, "apply", "-no-color", "bare.tfplan"], self.directory / root)

    def destroy(self, root: str, var_file: str) -> None:
        """`plan -destroy -out`, then `apply`."""
        files = ["-out=bare.tfplan", f"-var-file={self.directory / var_file}"]
        self._run(
            [self.engine, "plan", "-no-color", "-lock=false", "-destroy", *files], self.directory / root
        )
        self.apply(root)

    def plan_many(self, roots: list[str], var_file: str, parallel: int) -> None:
        """All of them, so many at once."""
        with ThreadPoolExecutor(parallel) as pool:
            list(pool.map(lambda root: self.plan(root, var_file), roots))

    def _run(self, argv: list[str], at: Path) -> None:
        subprocess.run(argv, cwd=at, env=self.environment, check=True, capture_output=True)
