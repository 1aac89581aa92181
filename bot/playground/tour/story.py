"""The language that chapters are written in: steps, actions of people, and what they must see."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TypeVar

from bot.playground.slack.model import Message
from bot.playground.tour.narrator import Narrator
from bot.playground.tour.pull_page import PullPage
from bot.playground.tour.text import slack_text
from bot.playground.tour.updates import Updates
from bot.playground.world import CHANNEL, REPOSITORY, World

PATIENCE = 60.0
"""Seconds to wait for anything expected."""
POLL_SECONDS = 0.05
"""Time between two checks of what is expected."""
LOG_LINES = 15
"""Lines of the bot's log that a failed step shows."""

T = TypeVar("T")


@dataclass(frozen=True)
class Step:
    """How a step went. detail: what was seen, or what was expected and what was seen instead."""

    step: str
    ok: bool
    seconds: float
    detail: str


class ExpectationFailed(Exception):
    """Something expected was not seen."""

    def __init__(self, expected: str, seen: str) -> None:
        super().__init__(f"expected: {expected}\nseen: {seen or 'nothing'}")


class Story:
    """One chapter's world, played step by step."""

    def __init__(self, world: World, narrator: Narrator, patience: float = PATIENCE) -> None:
        self.world, self.narrator, self._patience = world, narrator, patience
        self.steps: list[Step] = []
        self._seen: list[str] = []
        self._updates = Updates(world)

    @contextmanager
    def step(self, name: str) -> Iterator[None]:
        """Run a step. An exception in it is reported, recorded, and ends the chapter."""
        began = time.monotonic()
        self._seen = []
        self.narrator.step(name)
        try:
            yield
        except Exception as error:
            what = str(error) if isinstance(error, ExpectationFailed) else f"{type(error).__name__}: {error}"
            self._report_updates()
            log = self.world.bot.tail(LOG_LINES) if self.world.bots else ""
            self._end(name, began, f"{what}\nend of the bot's log:\n{log}" if log else what, ok=False)
            raise
        self._report_updates()
        self._end(name, began, "; ".join(self._seen), ok=True)

    def _end(self, name: str, began: float, detail: str, *, ok: bool) -> None:
        self.steps.append(Step(name, ok, round(time.monotonic() - began, 2), detail))
        self.narrator.result(self.steps[-1].ok, self.steps[-1].seconds, detail)

    def _report_updates(self) -> None:
        if self.world.bots:
            for update in self._updates.collect():
                self.narrator.update(update)

    # actions of people

    def propose(self, change: str, *, author: str = "ann") -> PullPage:
        """Open a pull request with one of the sample's changes."""
        branch = f"{author}/{change}"
        number = self.world.propose(change, author=author, branch=branch)
        return self._opened(PullPage(self.world, number, author, branch), change)

    def propose_files(self, change: str, files: Mapping[str, bytes], *, author: str = "ann") -> PullPage:
        """Open a pull request with files that the sample does not have. change: its name, which becomes the branch's."""
        branch = f"{author}/{change}"
        self.world.github.commit_files(REPOSITORY, branch, files, author=author, message=change)
        number = self.world.github.open_pull(REPOSITORY, author=author, head=branch, title=change)
        return self._opened(PullPage(self.world, number, author, branch), change)

    def _opened(self, page: PullPage, change: str) -> PullPage:
        self.narrator.action(page.author, "GitHub", f"opens #{page.number} with the change `{change}`")
        self._updates.follow_pull(page)
        return page

    def push(self, page: PullPage, change: str) -> str:
        """Push another of the sample's changes as the author, and return the commit."""
        commit = self.world.push(change, page.branch, author=page.author)
        self.narrator.action(
            page.author, f"#{page.number}", f"pushes {commit[:7]} with the change `{change}`"
        )
        return commit

    def comment(self, page: PullPage, text: str, *, author: str = "ann") -> int:
        """Post a comment and return its id."""
        self.narrator.action(author, f"#{page.number}", text)
        comment = self.world.say(page.number, text, author=author)
        self._updates.follow_comment(page, comment, author, text)
        return comment

    def slash(self, user: str, text: str) -> str:
        """Type a slash command in the channel, and return the answer, public or not."""
        before = {message.ts for message in self._answers(user)}
        self.narrator.action(user, f"Slack #{CHANNEL}", f"/infra {text}")
        self.world.slack.slash(user, f"#{CHANNEL}", text)
        return self.wait_for(
            "an answer in Slack",
            lambda: next((slack_text(one) for one in self._answers(user) if one.ts not in before), ""),
        )

    def _answers(self, user: str) -> list[Message]:
        """Return ephemeral messages to this user, and the channel's messages that are not edited in place."""
        edited = ("card", "approval", "follow_up", "export")
        posts = [one for one in self.world.slack.messages(CHANNEL) if Updates.kind(one) not in edited]
        return [*self.world.slack.ephemerals(user), *posts]

    def merge(self, page: PullPage, *, actor: str, method: str = "merge") -> str:
        """Merge a pull request by `merge`, `squash` or `rebase`, and return the new commit of main."""
        how = "merges it" if method == "merge" else f"merges it ({method})"
        self.narrator.action(actor, f"#{page.number}", how)
        return self.world.github.merge_pull(REPOSITORY, page.number, actor=actor, method=method)

    # what people must see

    def wait_for(self, expected: str, look: Callable[[], T], seen: Callable[[], object] | None = None) -> T:
        """Call `look` until it returns something true, and return that.

        seen: returns what to show if that takes too long. Raises ExpectationFailed.
        """
        end = time.monotonic() + self._patience
        self.narrator.waiting(expected)
        while not (found := look()):
            if time.monotonic() > end:
                shown = str(seen()) if seen else ""
                raise ExpectationFailed(f"{expected} (within {self._patience:g} s)", shown)
            time.sleep(POLL_SECONDS)
        self._seen.append(expected)
        return found

    def check(self, expected: str, *, true: bool, seen: object = "") -> None:
        """Check something that must be true now. Raises ExpectationFailed."""
        if not true:
            raise ExpectationFailed(expected, str(seen))
        self._seen.append(expected)

    def check_text(self, text: str, *words: str) -> None:
        """Check that a text contains all these words, in any case. Raises ExpectationFailed."""
        for word in words:
            self.check(f"the text says “{word}”", true=word.lower() in text.lower(), seen=text)

    def wait_for_reactions(self, page: PullPage, comment: int, *signs: str) -> None:
        """Wait for reactions to a comment, one after the other."""
        for sign in signs:
            self._wait_for_reaction(page, comment, sign)

    def _wait_for_reaction(self, page: PullPage, comment: int, sign: str) -> None:
        self.wait_for(
            f"{sign} on the comment",
            lambda: sign in page.reactions(comment),
            lambda: page.reactions(comment),
        )

    def wait_for_plan(self, page: PullPage, environment: str) -> dict[str, str]:
        """Wait until the plan of the latest commit is ready to apply, and return its row of the status comment."""
        self.wait_for(
            f"{environment} of {page.head[:7]} is ready to apply",
            lambda: page.ready(environment),
            lambda: page.status,
        )
        return page.row(environment)

    # the clouds

    def resources(self, environment: str, kind: str = "server") -> dict[str, str]:
        """Return the resources of one kind in an environment's cloud, as name to id."""
        return {str(one["name"]): key for key, one in self.world.clouds[environment].things(kind).items()}

    def slow_down(self, environment: str, operation: str, seconds: float) -> None:
        """Make the next such operation (for example `read:playground_server.staging-web`) take longer."""
        self.world.clouds[environment].faults({operation: {"delay": seconds, "times": 1}})

    def slow_operation_started(self, environment: str, operation: str) -> bool:
        """Whether Terraform has started the operation that was slowed down."""
        path = self.world.clouds[environment].directory / "faults.json"
        return bool(json.loads(path.read_text())[operation]["times"] == 0)
