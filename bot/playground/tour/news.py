"""What has become visible since one last looked: comments, checks, deployments, reactions, messages."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from bot.playground.slack.model import Message
from bot.playground.slack.state import BOT, PEOPLE
from bot.playground.tour.pull import PullPage
from bot.playground.tour.reading import folded, modal_text, slack_text
from bot.playground.world import CHANNEL, World

SHAPES = {"success": "✓", "failure": "✗", "": "…"}


@dataclass(frozen=True)
class Item:
    """Something the bot shows: where, and its text (Markdown with `markdown`). A `brief` one fits a line."""

    where: str
    text: str
    markdown: bool = False
    brief: bool = False


class News:
    """Remembers what was told, so that each thing is told once and again when it has changed."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._pages: list[PullPage] = []
        self._comments: list[tuple[PullPage, int, str]] = []
        self._told: dict[str, str] = {}

    def follow(self, page: PullPage) -> None:
        self._pages.append(page)

    def listen(self, page: PullPage, comment: int, author: str, text: str) -> None:
        """Tell of the bot's reactions on this comment."""
        self._comments.append((page, comment, f"{author}'s {text.splitlines()[0]}"))

    @staticmethod
    def kind(message: Message) -> str:
        """What a message shows and keeps showing: `card`, `approval`, `follow_up`; another word for an answer."""
        key = message.metadata.get("event_payload", {}).get("key", "")
        return str(key).partition(":")[0]

    def gather(self) -> list[Item]:
        """What is new or other than it was, in reading order."""
        return [item for key, item in self._all() if self._fresh(key, item.text)]

    def _fresh(self, key: str, text: str) -> bool:
        if not text or self._told.get(key) == text:
            return False
        self._told[key] = text
        return True

    def _all(self) -> Iterator[tuple[str, Item]]:
        for page, comment, what in self._comments:
            signs = page.reactions(comment)
            yield f"reaction:{comment}", Item(what, f"{signs} on {what}" if signs else "", brief=True)
        for page in self._pages:
            yield from self._page(page)
        yield from self._slack()

    def _page(self, page: PullPage) -> Iterator[tuple[str, Item]]:
        at = f"#{page.number}"
        for entry in page.timeline("comment"):
            if entry["bot"]:
                yield f"comment:{entry['id']}", Item(f"towpath on {at}", folded(entry["body"]), markdown=True)
        on_head = [one for one in page.timeline("check") if one["commit"] == page.head]
        shown = "  ".join(f"{SHAPES.get(one['conclusion'] or '', '•')} {one['title']}" for one in on_head)
        yield f"checks:{at}", Item(at, f"checks on {at}: {shown}" if shown else "", brief=True)
        for one in page.timeline("deployment"):
            went = " → ".join(state["state"] for state in one["states"])
            yield (
                f"deployment:{one['id']}",
                Item(at, f"deployment of {one['environment']}: {went}", brief=True),
            )

    def _slack(self) -> Iterator[tuple[str, Item]]:
        place = f"Slack #{CHANNEL}"
        for message in self._world.slack.messages(CHANNEL):
            where = f"towpath's card in {place}" if self.kind(message) == "card" else f"towpath in {place}"
            if message.user == BOT.id:
                yield f"slack:{message.ts}", Item(where, slack_text(message))
            for reply in self._world.slack.thread(CHANNEL, message.ts)[1:]:
                yield (
                    f"slack:{reply.ts}",
                    Item(f"towpath in the thread of “{message.text[:30]}…”", slack_text(reply)),
                )
        for person in PEOPLE:
            for message in self._world.slack.direct(person.name):
                if message.user == BOT.id:
                    where = f"towpath to {person.name} in Slack, directly"
                    yield f"slack:{message.ts}", Item(where, slack_text(message))
            for view in self._world.slack.modals(person.name):
                yield f"modal:{view.id}", Item(f"{person.name}'s screen", modal_text(view))
            for whisper in self._world.slack.ephemerals(person.name):
                yield (
                    f"slack:{whisper.ts}",
                    Item(f"towpath in {place}, for {person.name} alone", slack_text(whisper)),
                )
