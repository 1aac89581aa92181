"""What a delivery means: the requests that the inbox works through. They are stored, so they are plain data."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

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
class QueueAsked:
    """The merge queue tries pull request `number` at `head_sha`, on top of `base_sha`, and waits for our checks there."""

    repository: str
    number: int
    head_sha: str
    base_sha: str


@dataclass(frozen=True)
class Reviewed:
    """A pull request's reviews are not what they were: one was submitted, edited or dismissed. They are read anew."""

    repository: str
    number: int


@dataclass(frozen=True)
class Answered:
    """Somebody pressed Approve or Reject in Slack. `approval` and `digest` (of the plan that the message showed) come
    from the message and can be forged or old; typed: the environment's name, where it was asked for."""

    approval: str
    digest: str
    actor: Actor
    answer: Literal["approve", "reject"]
    reason: str
    typed: str
    origin: Origin


@dataclass(frozen=True)
class Acknowledged:
    """Somebody pressed Acknowledge at a break-glass in Slack."""

    follow_up: str
    actor: Actor
    origin: Origin


@dataclass(frozen=True)
class Installed:
    """Repositories became reachable."""

    repositories: tuple[str, ...]


Request = (
    Seen
    | PullChanged
    | Said
    | Pushed
    | CheckAgain
    | QueueAsked
    | Reviewed
    | Answered
    | Acknowledged
    | Installed
)
