"""A clone of the sample repository on a person's own machine, in which they run `towpath dev`."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from typing import Any

from bot.playground import sample
from bot.playground.provider.cloud import Cloud
from bot.playground.tour.story import Story
from bot.playground.world import REPOSITORY

PORT = "28471"
"""The port of dev's dependency in the sample; another process of this machine may have it."""
TIMEOUT = 120.0
"""Seconds that a command may take."""
_POLICY, _VALUES = "envs/environments.toml", "envs/dev.tfvars"


class DevLaptop:
    """A machine with the repository, access to a cloud of dev's own, and the read-only secrets of ci.

    port: what dev's dependency listens at here.
    """

    def __init__(self, story: Story, owner: str, port: int) -> None:
        self._story, self._owner, self._port = story, owner, port
        self._top = story.world.directory / f"clone-of-{owner}"
        self._environment: dict[str, str] = {}

    def clone(self) -> None:
        """Set the port on main, clone the repository, and make dev's cloud."""
        world = self._story.world
        files = sample.files()
        changed = {
            name: files[name].replace(PORT.encode(), str(self._port).encode()) for name in (_POLICY, _VALUES)
        }
        world.github.commit_files(
            REPOSITORY, "main", changed, author="carol", message="Use a free port in dev"
        )
        world.clouds["dev"] = Cloud.create(world.directory / "clouds" / "dev", world.token("dev"))
        bare = world.github.state.repos[REPOSITORY].path
        self._narrate(f"git clone {REPOSITORY}")
        subprocess.run(["git", "clone", "--quiet", str(bare), str(self._top)], check=True)
        self._git("remote", "set-url", "origin", f"https://github.com/{REPOSITORY}.git")
        self._git("switch", "--quiet", "--create", "change")
        kept = ("TOWPATH_TERRAFORM_CLI_CONFIG", "TOWPATH_SANDBOX", "TOWPATH_TERRAFORM_BIN", "CI_", "DEV_")
        self._environment = {
            name: value
            for name, value in world.environment().items()
            if name.startswith(kept) or name in ("PATH", "LANG")
        }
        self._environment["HOME"] = str(self._top.parent)
        self._environment["PYTHONPATH"] = os.pathsep.join(filter(None, sys.path))

    def run(self, *words: str) -> dict[str, Any]:
        """Run `towpath dev …`, and return what it prints as JSON."""
        self._narrate(f"towpath dev {' '.join(words)}")
        done = subprocess.run(
            [sys.executable, "-m", "bot", "dev", *words, "--json"],
            cwd=self._top,
            env=self._environment,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=TIMEOUT,
            check=False,
        )
        self._story.check(f"towpath dev {words[0]} answers", true=bool(done.stdout), seen=done.stderr)
        told: dict[str, Any] = json.loads(done.stdout)
        return told

    def edit(self, change: str) -> None:
        """Make one of the sample's changes, without a commit."""
        self._narrate(f"edits the files: {change}")
        for path, content in sample.change(change).items():
            if content is None:
                (self._top / path).unlink()
            else:
                (self._top / path).write_bytes(content)

    def commit(self, message: str) -> None:
        """Commit everything."""
        self._narrate(f'git commit -am "{message}"')
        self._git("commit", "--quiet", "--all", "--message", message)

    def close(self) -> None:
        """Stop the dependencies, if they still run."""
        if (self._top / ".towpath").is_dir():
            argv = [sys.executable, "-m", "bot", "dev", "down", "--keep"]
            subprocess.run(argv, cwd=self._top, env=self._environment, capture_output=True, check=False)

    def _git(self, *words: str) -> None:
        who = ["-c", f"user.name={self._owner}", "-c", f"user.email={self._owner}@example.com"]
        subprocess.run(["git", *who, *words], cwd=self._top, check=True, capture_output=True)

    def _narrate(self, text: str) -> None:
        self._story.narrator.action(self._owner, "the laptop", text)
