"""A vault with a command line, and an operator who lets the bot use it."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from typing import Any

from bot.playground.tour.story import Story
from bot.secrets.command import FAILED

SIGN_IN = "sign-in-of-the-vault"
TIMEOUT = 60.0
"""Seconds that `towpath doctor` may take."""
_SCRIPT = """#!{python} -IS
import json, os, sys

if os.environ.get("VAULT_TOKEN") != "{sign_in}":
    sys.exit("permission denied")
if os.path.exists("{sealed}"):
    sys.exit("the vault is sealed")
print(json.dumps(json.load(open("{stored}")).get(sys.argv[1], {{}})))
"""


class Vault:
    """Keeps variables by environment; sealed, it gives none."""

    def __init__(self, story: Story) -> None:
        directory = story.world.directory / "vault"
        directory.mkdir()
        self._story, self._program = story, directory / "vault-get"
        self._stored, self._sealed = directory / "stored.json", directory / "sealed"
        self._variables: dict[str, dict[str, str]] = {}
        paths = {"sealed": self._sealed, "stored": self._stored}
        self._program.write_text(_SCRIPT.format(python=sys.executable, sign_in=SIGN_IN, **paths))
        self._program.chmod(0o700)

    def put(self, environment: str, **variables: str) -> None:
        """Store variables, in addition to those of before."""
        self._variables.setdefault(environment, {}).update(variables)
        self._stored.write_text(json.dumps(self._variables))
        self._story.narrator.action(
            "an operator", "the vault", f"stores {', '.join(variables)} of {environment}"
        )

    def seal(self) -> None:
        """Give nothing until `unseal`."""
        self._sealed.touch()
        self._story.narrator.action("somebody", "the vault", "seals it")

    def unseal(self) -> None:
        """Give what is stored, and wait until the bot asks again."""
        self._sealed.unlink()
        self._story.narrator.action("an operator", "the vault", "unseals it")
        time.sleep(FAILED)

    def connect(self, *, remove: str, **variables: str) -> None:
        """Start the bot again with this vault, without a variable that is in the vault now, and with others."""
        bot = self._story.world.bot
        bot.stop()
        del bot.environment[remove]
        bot.environment |= {
            "TOWPATH_SECRETS_COMMAND": f"{self._program} {{env}}",
            "TOWPATH_SECRETS_COMMAND_ENV": "VAULT_TOKEN",
            "TOWPATH_SECRETS_COMMAND_CACHE": "0",
            "VAULT_TOKEN": SIGN_IN,
            **variables,
        }
        self._story.narrator.action(
            "an operator", "the bot's machine", "TOWPATH_SECRETS_COMMAND='vault-get {env}' towpath up"
        )
        bot.start()

    def doctor(self) -> dict[str, Any]:
        """Return what `towpath doctor --json` prints where the bot runs."""
        self._story.narrator.action("an operator", "the bot's machine", "towpath doctor --json")
        done = subprocess.run(
            [sys.executable, "-m", "bot", "doctor", "--json"],
            env=self._story.world.bot.environment,
            capture_output=True,
            text=True,
            check=False,
            timeout=TIMEOUT,
        )
        printed: dict[str, Any] = json.loads(done.stdout)
        return printed
