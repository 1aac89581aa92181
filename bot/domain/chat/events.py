"""What a delivery asks for. These requests are stored, so they are plain data."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from bot.domain.actors import Actor
from bot.domain.ports.forge import Repository
from bot.domain.run import Origin


@dataclass(frozen=True)
class RepositorySeen:
    """What a payload says about its repository. It is a reason to ask GitHub's API, and nothing of it is used."""

    repository: Repository


@dataclass(frozen=True)
class PullChanged:
    """A pull request was opened, pushed to, reopened, marked ready, edited or closed. Its details are fetched again.

    pusher: who opened it or pushed to it, "" for other actions. at: when it was at `head_sha`, by GitHub's clock.
    """

    repository: str
    number: int
    action: str
    head_sha: str = ""
    pusher: str = ""
    at: datetime | None = None


@dataclass(frozen=True)
class Message:
    """A text that may contain commands.

    repository and pull are ""/0 if the Slack message did not name them. slash: the whole text is one command (a slash
    command, a mention, a button); otherwise commands are found in Markdown.
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
    """A branch was pushed. `ref` is the full name, such as `refs/heads/main`.

    commits: those that no branch had before. pushers: who pushed, by GitHub's names for them.
    """

    repository: str
    ref: str
    after: str
    commits: tuple[str, ...] = ()
    pushers: tuple[str, ...] = ()


@dataclass(frozen=True)
class CheckRerequested:
    """Someone clicked "Re-run" on one of the bot's checks."""

    repository: str
    head_sha: str
    name: str
    actor: Actor
    origin: Origin


@dataclass(frozen=True)
class MergeGroupRequested:
    """The merge queue tests pull request `number` at `head_sha`, on top of `base_sha`, and waits for the bot's checks."""

    repository: str
    number: int
    head_sha: str
    base_sha: str


@dataclass(frozen=True)
class Reviewed:
    """A review was submitted, edited or dismissed. The pull request's reviews are read again."""

    repository: str
    number: int


@dataclass(frozen=True)
class ApprovalAnswered:
    """Someone clicked Approve or Reject in Slack.

    approval, digest (of the plan in the message): from the message, so they can be forged or outdated. typed: the
    environment's name, if it was asked for.
    """

    approval: str
    digest: str
    actor: Actor
    answer: Literal["approve", "reject"]
    reason: str
    typed: str
    origin: Origin


@dataclass(frozen=True)
class ForceAcknowledged:
    """Someone clicked Acknowledge on a forced apply in Slack."""

    follow_up: str
    actor: Actor
    origin: Origin


@dataclass(frozen=True)
class AppInstalled:
    """The App was installed on repositories."""

    repositories: tuple[str, ...]


Request = (
    RepositorySeen
    | PullChanged
    | Message
    | Pushed
    | CheckRerequested
    | MergeGroupRequested
    | Reviewed
    | ApprovalAnswered
    | ForceAcknowledged
    | AppInstalled
)
