"""How commands are written on a surface."""

from __future__ import annotations

import re
from dataclasses import dataclass

from bot.render.document import Command


@dataclass(frozen=True)
class CommandStyle:
    """How commands are written. slash: Slack's umbrella command (`/infra`), or "" to write commands as they are.
    pull, repository: what buttons and rewritten commands refer to."""

    slash: str = ""
    pull: int = 0
    repository: str = ""

    def command(self, command: Command) -> str:
        """Return the command as people type it on this surface."""
        text = command.text
        if not self.slash or not text.startswith("/") or text.split()[0] == self.slash:
            return text
        numbered = command.numbered and self.pull and not re.search(r"#\d", text)
        return f"{self.slash} {text[1:]}" + (f" #{self.pull}" if numbered else "")


AS_TYPED = CommandStyle()
"""Commands in GitHub's form."""
