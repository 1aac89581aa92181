"""What a delivery means: the requests that the inbox works through. They are stored, so they are plain data."""

from __future__ import annotations

from dataclasses import dataclass

from bot.domain.people import Actor
from bot.domain.ports.forge import Repository
from bot.domain.run import Origin


@dataclass(frozen=True)
class Seen:
    """A payload told how a repository is reached (its clone URL) and which branch is its default."""

    repository: Repository


@dataclass(frozen=True)
class PullChanged:
    """A pull request was opened, pushed to, reopened, made ready, edited or closed. Facts are fetched anew."""

    repository: str
    number: int
    action: str
    head_sha: str = ""


@dataclass(frozen=True)
class Said:
    """Somebody wrote something that may hold commands.

    repository and pull are empty/0 where Slack did not say them. `slash` is True where the whole text is one command
    (a slash command, a mention, a button), else commands are found in Markdown.
    """

    actor: Actor
    text: str
    origin: Origin
    repository: str = ""
    pull: int = 0
    slash: bool = False
    bot: bool = False


@dataclass(frozen=True)
class Pushed:
    """A branch moved. `ref` is the full one."""

    repository: str
    ref: str
    after: str


@dataclass(frozen=True)
class CheckAgain:
    """Somebody pressed "Re-run" at a check of ours."""

    repository: str
    head_sha: str
    name: str
    actor: Actor
    origin: Origin


@dataclass(frozen=True)
class Installed:
    """Repositories became reachable."""

    repositories: tuple[str, ...]


Request = Seen | PullChanged | Said | Pushed | CheckAgain | Installed
