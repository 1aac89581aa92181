"""What a chapter is written with: steps, what people do, and what they must see then."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TypeVar

from bot.playground.slack.model import Message
from bot.playground.tour.narrator import Narrator
from bot.playground.tour.news import News
from bot.playground.tour.pull import PullPage
from bot.playground.tour.reading import slack_text
from bot.playground.world import CHANNEL, REPOSITORY, World

PATIENCE = 60.0
"""Seconds that people wait for one thing to be seen."""
LOOK = 0.05
"""Seconds between two looks."""
LAST = 15
"""Lines of the bot's log below a step that failed."""

T = TypeVar("T")


@dataclass(frozen=True)
class Step:
    """How a step went. `detail`: what was seen, or what was expected instead of what."""

    step: str
    ok: bool
    seconds: float
    detail: str


class NotAsTold(Exception):
    """People see something else than the story tells."""

    def __init__(self, expected: str, seen: str) -> None:
        super().__init__(f"expected: {expected}\nseen: {seen or 'nothing'}")


class Story:
    """One chapter's world, played step by step."""

    def __init__(self, world: World, narrator: Narrator, patience: float = PATIENCE) -> None:
        self.world, self.narrator, self._patience = world, narrator, patience
        self.steps: list[Step] = []
        self._seen: list[str] = []
        self._news = News(world)

    @contextmanager
    def step(self, name: str) -> Iterator[None]:
        """A step: what fails in it is told, noted, and ends the chapter."""
        began = time.monotonic()
        self._seen = []
        self.narrator.step(name)
        try:
            yield
        except Exception as error:
            what = str(error) if isinstance(error, NotAsTold) else f"{type(error).__name__}: {error}"
            self._tell_news()
            log = self.world.bot.tail(LAST) if self.world.bots else ""
            self._end(name, began, f"{what}\nthe bot's log ends:\n{log}" if log else what, ok=False)
            raise
        self._tell_news()
        self._end(name, began, "; ".join(self._seen), ok=True)

    def _end(self, name: str, began: float, detail: str, *, ok: bool) -> None:
        self.steps.append(Step(name, ok, round(time.monotonic() - began, 2), detail))
        self.narrator.ended(self.steps[-1].ok, self.steps[-1].seconds, detail)

    def _tell_news(self) -> None:
        if self.world.bots:
            for item in self._news.gather():
                self.narrator.shown(item)

    # what people do

    def propose(self, change: str, *, author: str = "ann") -> PullPage:
        """A pull request with one of the sample's changes."""
        branch = f"{author}/{change}"
        number = self.world.propose(change, author=author, branch=branch)
        page = PullPage(self.world, number, author, branch)
        self.narrator.said(author, "GitHub", f"opens #{number} with the change `{change}`")
        self._news.follow(page)
        return page

    def push(self, page: PullPage, change: str) -> str:
        """Its author pushes another of the sample's changes; returns the commit."""
        commit = self.world.push(change, page.branch, author=page.author)
        self.narrator.said(page.author, f"#{page.number}", f"pushes {commit[:7]} with the change `{change}`")
        return commit

    def say(self, page: PullPage, text: str, *, author: str = "ann") -> int:
        """A comment; returns its id."""
        self.narrator.said(author, f"#{page.number}", text)
        comment = self.world.say(page.number, text, author=author)
        self._news.listen(page, comment, author, text)
        return comment

    def slash(self, user: str, text: str) -> str:
        """A slash command in the channel; returns the answer once it is there, whoever may see it."""
        before = {message.ts for message in self._visible(user)}
        self.narrator.said(user, f"Slack #{CHANNEL}", f"/infra {text}")
        self.world.slack.slash(user, f"#{CHANNEL}", text)
        return self.sees(
            "an answer in Slack",
            lambda: next((slack_text(one) for one in self._visible(user) if one.ts not in before), ""),
        )

    def _visible(self, user: str) -> list[Message]:
        """What only this person sees, and what was said to the channel; cards and questions are no answers."""
        standing = ("card", "approval", "follow_up")
        posts = [one for one in self.world.slack.messages(CHANNEL) if News.kind(one) not in standing]
        return [*self.world.slack.ephemerals(user), *posts]

    def merge(self, page: PullPage, *, actor: str) -> None:
        self.narrator.said(actor, f"#{page.number}", "merges it")
        self.world.github.merge_pull(REPOSITORY, page.number, actor=actor)

    # what they must see

    def sees(self, expected: str, look: Callable[[], T], seen: Callable[[], object] | None = None) -> T:
        """What `look` returns as soon as it is true. Raises NotAsTold when patience ends, with what `seen` tells."""
        end = time.monotonic() + self._patience
        self.narrator.waiting(expected)
        while not (found := look()):
            if time.monotonic() > end:
                shown = str(seen()) if seen else ""
                raise NotAsTold(f"{expected} (within {self._patience:g} s)", shown)
            time.sleep(LOOK)
        self._seen.append(expected)
        return found

    def check(self, expected: str, *, true: bool, seen: object = "") -> None:
        """Something that is so now, or not. Raises NotAsTold."""
        if not true:
            raise NotAsTold(expected, str(seen))
        self._seen.append(expected)

    def reads(self, text: str, *words: str) -> None:
        """`text` has all these words (case does not matter). Raises NotAsTold."""
        for word in words:
            self.check(f"“{word}” is read", true=word.lower() in text.lower(), seen=text)

    def reacts(self, page: PullPage, comment: int, *signs: str) -> None:
        """These reactions are seen on a comment, one after the other."""
        for sign in signs:
            self._reaction(page, comment, sign)

    def _reaction(self, page: PullPage, comment: int, sign: str) -> None:
        self.sees(
            f"{sign} on the comment",
            lambda: sign in page.reactions(comment),
            lambda: page.reactions(comment),
        )

    def stands(self, page: PullPage, environment: str) -> dict[str, str]:
        """The head's plan stands in the status comment, ready to apply; returns its row."""
        self.sees(
            f"{environment} of {page.head[:7]} is ready to apply",
            lambda: page.ready(environment),
            lambda: page.status,
        )
        return page.row(environment)

    def things(self, environment: str, kind: str = "server") -> dict[str, str]:
        """What is in an environment's cloud: name → id."""
        return {str(one["name"]): key for key, one in self.world.clouds[environment].things(kind).items()}

    def slow(self, environment: str, operation: str, seconds: float) -> None:
        """The next such operation (`read:playground_server.staging-web`) of an environment's cloud takes so long."""
        self.world.clouds[environment].faults({operation: {"delay": seconds, "times": 1}})

    def reached(self, environment: str, operation: str) -> bool:
        """Whether Terraform has begun the operation that was made slow."""
        path = self.world.clouds[environment].directory / "faults.json"
        return bool(json.loads(path.read_text())[operation]["times"] == 0)
