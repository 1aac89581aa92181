"""A pull request as people see it on GitHub."""

from __future__ import annotations

import json
from contextlib import suppress
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

import httpx

from bot.playground.github.timeline_entries import CheckEntry, CommentEntry, DeploymentEntry, Entry
from bot.playground.tour.text import plain, table
from bot.playground.world import REPOSITORY, World

SIGNS = {"eyes": "👀", "+1": "👍", "-1": "👎", "rocket": "🚀"}
HEAD = "| Environment | Plan |"
COLUMNS = ("Environment", "Plan", "Planned", "State", "Next")


@dataclass(frozen=True)
class CheckPage:
    """What a check shows. All fields are empty if there is no such check."""

    url: str = ""
    status: str = ""
    conclusion: str = ""
    title: str = ""
    summary: str = ""
    text: str = ""


class PullPage:
    """The page of one pull request. Every read returns its current content."""

    def __init__(self, world: World, number: int, author: str, branch: str) -> None:
        self.world, self.number, self.author, self.branch = world, number, author, branch

    def timeline(self) -> list[Entry]:
        """Return all entries, oldest first."""
        return self.world.github.timeline(REPOSITORY, self.number)

    def comments(self) -> list[CommentEntry]:
        """Return the bot's comments, oldest first."""
        return [entry for entry in self.timeline() if entry["kind"] == "comment" and entry["bot"]]

    def checks(self) -> list[CheckEntry]:
        """Return all checks, oldest first."""
        return [entry for entry in self.timeline() if entry["kind"] == "check"]

    def deployments(self, environment: str = "") -> list[DeploymentEntry]:
        """Return the deployments to an environment, or all of them, oldest first."""
        return [
            entry
            for entry in self.timeline()
            if entry["kind"] == "deployment" and environment in ("", entry["environment"])
        ]

    @property
    def head(self) -> str:
        """The latest commit."""
        return [entry["head"] for entry in self.timeline() if entry["kind"] == "commits"][-1]

    @property
    def tables(self) -> list[str]:
        """The bot's comments with a table of environments: the status comment, then answers to /status."""
        return [entry["body"] for entry in self.comments() if HEAD in entry["body"]]

    @property
    def status(self) -> str:
        """The status comment as Markdown. Empty if there is none."""
        return next(iter(self.tables), "")

    @property
    def replies(self) -> list[str]:
        """The bot's other comments, oldest first."""
        return [entry["body"] for entry in self.comments() if HEAD not in entry["body"]]

    def reply(self, *words: str, after: int = 0) -> str:
        """Return the newest reply that has all these words, as plain text. Empty if there is none.

        after: how many of the oldest replies to skip.
        """
        for body in reversed(self.replies[after:]):
            text = "\n".join(map(plain, body.splitlines()))
            if all(word.lower() in text.lower() for word in words):
                return text
        return ""

    def row(self, environment: str) -> dict[str, str]:
        """Return the environment's row of the status comment: column to plain text. All empty if there is none."""
        for row in table(self.status):
            if row.get("Environment", "").split(" ")[0] == environment:
                return row
        return dict.fromkeys(COLUMNS, "")

    def ready(self, environment: str) -> bool:
        """Whether the plan is for the latest commit and the next command is to apply it."""
        row = self.row(environment)
        return row["Next"] == f"/apply {environment}" and row["Planned"].startswith(self.head[:7])

    def check(self, environment: str) -> CheckPage:
        """Return the newest check of an environment on the latest commit."""
        head = self.head
        for entry in reversed(self.checks()):
            if (entry["name"], entry["commit"]) == (f"towpath/{environment}", head):
                return CheckPage(
                    url=entry["url"],
                    status=entry["status"],
                    conclusion=entry["conclusion"] or "",
                    title=entry["title"],
                    summary=entry["summary"],
                    text=entry["text"],
                )
        return CheckPage()

    def annotations(self, environment: str) -> list[dict[str, Any]]:
        """Return the annotations of the newest check of an environment on the latest commit."""
        head = self.head
        for entry in reversed(self.checks()):
            if (entry["name"], entry["commit"]) == (f"towpath/{environment}", head):
                return list(entry["annotations"])
        return []

    def replanned(self, environment: str, before: str) -> bool:
        """Whether a new plan is ready. before: URL of the check of the old plan."""
        check = self.check(environment)
        return check.status == "completed" and check.url != before and self.ready(environment)

    def log(self, environment: str, text: str) -> str:
        """Follow the live log linked from the check until it contains `text` or is silent for a second."""
        url, lines = urlsplit(self.check(environment).url), []
        events = url._replace(path=f"{url.path}/events").geturl()
        with suppress(httpx.HTTPError), httpx.stream("GET", events, timeout=1.0) as stream:
            for line in stream.iter_lines():
                if line.startswith('data: "'):
                    lines.append(str(json.loads(line.removeprefix("data: "))))
                    if text in lines[-1]:
                        break
        return "\n".join(lines)

    def reactions(self, comment: int) -> str:
        """Return the bot's reactions to a comment, as emoji."""
        return "".join(SIGNS.get(content, content) for content in self.world.reactions(self.number, comment))
