"""A pull request as people see it."""

from __future__ import annotations

import json
from contextlib import suppress
from typing import Any
from urllib.parse import urlsplit

import httpx

from bot.playground.tour.reading import plain, table
from bot.playground.world import REPOSITORY, World

SIGNS = {"eyes": "👀", "+1": "👍", "-1": "👎", "rocket": "🚀"}
HEAD = "| Environment | Plan |"


class PullPage:
    """The page of one pull request. Everything is read anew at each look."""

    def __init__(self, world: World, number: int, author: str, branch: str) -> None:
        self.world, self.number, self.author, self.branch = world, number, author, branch

    def timeline(self, kind: str) -> list[dict[str, Any]]:
        """Its entries of one kind, oldest first."""
        found = self.world.github.timeline(REPOSITORY, self.number)
        return [entry for entry in found if entry["kind"] == kind]

    @property
    def head(self) -> str:
        """The newest commit."""
        return str(self.timeline("commits")[-1]["head"])

    def _ours(self) -> list[dict[str, Any]]:
        return [entry for entry in self.timeline("comment") if entry["bot"]]

    @property
    def tables(self) -> list[str]:
        """The bot's comments with the table of environments: the status comment alone, where nobody asked for more."""
        return [entry["body"] for entry in self._ours() if HEAD in entry["body"]]

    @property
    def status(self) -> str:
        """The status comment as Markdown; empty where there is none."""
        return next(iter(self.tables), "")

    @property
    def replies(self) -> list[str]:
        """The bot's other comments, oldest first."""
        return [entry["body"] for entry in self._ours() if HEAD not in entry["body"]]

    def reply(self, *words: str, after: int = 0) -> str:
        """The newest reply (of those behind the first `after`) that has all these words, as plain text; or nothing."""
        for body in reversed(self.replies[after:]):
            text = "\n".join(map(plain, body.splitlines()))
            if all(word.lower() in text.lower() for word in words):
                return text
        return ""

    def row(self, environment: str) -> dict[str, str]:
        """The environment's row in the status comment: column → plain text; every column empty where there is none."""
        for row in table(self.status):
            if row.get("Environment", "").split(" ")[0] == environment:
                return row
        return dict.fromkeys(("Environment", "Plan", "Planned", "State", "Next"), "")

    def ready(self, environment: str) -> bool:
        """Whether the head's plan stands there, and the next command is to apply it."""
        row = self.row(environment)
        return row["Next"] == f"/apply {environment}" and row["Planned"].startswith(self.head[:7])

    def check(self, environment: str) -> dict[str, Any]:
        """The newest check of an environment on the head; empty where there is none."""
        found = [one for one in self.timeline("check") if one["name"] == f"towpath/{environment}"]
        return next((one for one in reversed(found) if one["commit"] == self.head), {})

    def replanned(self, environment: str, before: str) -> bool:
        """Whether a plan stands there that is not the one of which the check's address was `before`."""
        check = self.check(environment)
        done = check.get("status") == "completed" and check["url"] != before
        return done and self.ready(environment)

    def log(self, environment: str, text: str) -> str:
        """The live log behind the check's link, followed until `text` stands in it or nothing comes for a second."""
        url, lines = urlsplit(self.check(environment).get("url", "")), []
        events = url._replace(path=f"{url.path}/events").geturl()
        with suppress(httpx.HTTPError), httpx.stream("GET", events, timeout=1.0) as stream:
            for line in stream.iter_lines():
                if line.startswith('data: "'):
                    lines.append(str(json.loads(line.removeprefix("data: "))))
                    if text in lines[-1]:
                        break
        return "\n".join(lines)

    def reactions(self, comment: int) -> str:
        """The bot's reactions on a comment, as signs."""
        return "".join(SIGNS.get(word, word) for word in self.world.reactions(self.number, comment))

    def deployments(self, environment: str) -> list[dict[str, Any]]:
        return [one for one in self.timeline("deployment") if one["environment"] == environment]
