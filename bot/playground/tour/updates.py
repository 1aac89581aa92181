"""What has changed on GitHub and in Slack since the tour last reported it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from bot.playground.slack.model import Message
from bot.playground.slack.state import BOT, PEOPLE
from bot.playground.tour.pull_page import PullPage
from bot.playground.tour.text import collapsed, modal_text, slack_text
from bot.playground.world import CHANNEL, World

CONCLUSIONS = {"success": "✓", "failure": "✗", "": "…"}


@dataclass(frozen=True)
class Update:
    """Something the bot shows. markdown: whether `text` is Markdown. brief: whether it fits on one line."""

    where: str
    text: str
    markdown: bool = False
    brief: bool = False


class Updates:
    """Returns everything that is new or has changed, once."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._pages: list[PullPage] = []
        self._comments: list[tuple[PullPage, int, str]] = []
        self._reported: dict[str, str] = {}

    def follow_pull(self, page: PullPage) -> None:
        """Report changes of this pull request."""
        self._pages.append(page)

    def follow_comment(self, page: PullPage, comment: int, author: str, text: str) -> None:
        """Report the bot's reactions to this comment."""
        self._comments.append((page, comment, f"{author}'s {text.splitlines()[0]}"))

    @staticmethod
    def kind(message: Message) -> str:
        """Return what a message shows: `card`, `approval`, `follow_up` or `export`, which are edited; others are answers."""
        key = message.metadata.get("event_payload", {}).get("key", "")
        return str(key).partition(":")[0]

    def collect(self) -> list[Update]:
        """Return what is new or has changed, in reading order."""
        return [update for key, update in self._all() if self._is_new(key, update.text)]

    def _is_new(self, key: str, text: str) -> bool:
        if not text or self._reported.get(key) == text:
            return False
        self._reported[key] = text
        return True

    def _all(self) -> Iterator[tuple[str, Update]]:
        for page, comment, what in self._comments:
            signs = page.reactions(comment)
            yield f"reaction:{comment}", Update(what, f"{signs} on {what}" if signs else "", brief=True)
        for page in self._pages:
            yield from self._pull(page)
        yield from self._slack()

    def _pull(self, page: PullPage) -> Iterator[tuple[str, Update]]:
        name, head = f"#{page.number}", page.head
        for comment in page.comments():
            text = collapsed(comment["body"])
            yield f"comment:{comment['id']}", Update(f"towpath on {name}", text, markdown=True)
        shown = "  ".join(
            f"{CONCLUSIONS.get(check['conclusion'] or '', '•')} {check['title']}"
            for check in page.checks()
            if check["commit"] == head
        )
        yield f"checks:{name}", Update(name, f"checks on {name}: {shown}" if shown else "", brief=True)
        for one in page.deployments():
            states = " → ".join(state["state"] for state in one["states"])
            yield (
                f"deployment:{one['id']}",
                Update(name, f"deployment of {one['environment']}: {states}", brief=True),
            )

    def _slack(self) -> Iterator[tuple[str, Update]]:
        channel = f"Slack #{CHANNEL}"
        for message in self._world.slack.messages(CHANNEL):
            is_card = self.kind(message) == "card"
            where = f"towpath's card in {channel}" if is_card else f"towpath in {channel}"
            if message.user == BOT.id:
                yield f"slack:{message.ts}", Update(where, slack_text(message))
            for reply in self._world.slack.thread(CHANNEL, message.ts)[1:]:
                where = f"towpath in the thread of “{message.text[:30]}…”"
                yield f"slack:{reply.ts}", Update(where, slack_text(reply))
        for person in PEOPLE:
            yield from self._person(person.name, channel)

    def _person(self, name: str, channel: str) -> Iterator[tuple[str, Update]]:
        """Yield what only one person sees: direct messages, modals and ephemeral messages."""
        for message in self._world.slack.direct(name):
            if message.user == BOT.id:
                where = f"towpath to {name} in a direct message"
                yield f"slack:{message.ts}", Update(where, slack_text(message))
        for view in self._world.slack.modals(name):
            yield f"modal:{view.id}", Update(f"{name}'s screen", modal_text(view))
        for message in self._world.slack.ephemerals(name):
            where = f"towpath in {channel}, visible to {name} only"
            yield f"slack:{message.ts}", Update(where, slack_text(message))
