"""What commands answer and what surfaces show: frozen facts, without a word of GitHub's or Slack's formats."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from bot.domain.lock import Lock, Waiter
from bot.domain.policy import Environment
from bot.domain.ports.forge import PullRequest
from bot.domain.run import Plan, Release, Run
from bot.domain.state import StateVersion
from bot.domain.target import Target


@dataclass(frozen=True)
class Refused:
    """A gate's no: a stable code, the fact, and the exact next command or action. `unread` tells what else was read."""

    code: str
    fact: str
    next_step: str = ""


@dataclass(frozen=True)
class Faulted:
    """Something of ours broke. `reference` ties the message to the log."""

    reference: str


@dataclass(frozen=True)
class Noted:
    """A plain answer in a sentence or two, with what one may do next."""

    text: str
    next_step: str = ""
    tone: Literal["good", "plain", "warning"] = "plain"


@dataclass(frozen=True)
class Started:
    """Runs that were made. `behind` names the runs that each waits for, by target key."""

    runs: tuple[Run, ...]
    behind: dict[str, Run]


@dataclass(frozen=True)
class CommandHelp:
    name: str
    usage: str
    summary: str
    description: str
    examples: tuple[str, ...]
    role: str
    aliases: tuple[str, ...] = ()


@dataclass(frozen=True)
class Help:
    """All commands, or one with its details (`one`)."""

    commands: tuple[CommandHelp, ...]
    one: CommandHelp | None = None
    slash: str = "/infra"


@dataclass(frozen=True)
class TargetStatus:
    """One target as it stands for one pull request (or for nobody in particular: `pull` 0).

    plan: the newest plan of that pull request; stale: why it can no longer be applied, or "".
    run: the newest run of that pull request there; busy: the run that works on the target now, whoever's it is.
    release: what is deployed. next_step: the command to use next, or "". over: the pull request is merged or closed.
    """

    target: Target
    environment: Environment
    pull: int = 0
    plan: Plan | None = None
    stale: str = ""
    run: Run | None = None
    busy: Run | None = None
    lock: Lock | None = None
    waiters: tuple[Waiter, ...] = ()
    release: Release | None = None
    next_step: str = ""
    over: bool = False


@dataclass(frozen=True)
class Status:
    """A pull request's environments (the status comment, the card, `/status`), or a repository's (`pull` None)."""

    repository: str
    targets: tuple[TargetStatus, ...]
    pull: PullRequest | None = None
    notes: tuple[str, ...] = ()
    now: datetime | None = None
    links: dict[str, str] | None = None
    """run id → address of its live log."""


@dataclass(frozen=True)
class History:
    """State versions of a target, newest first."""

    target: Target
    versions: tuple[StateVersion, ...]
    more: bool = False


@dataclass(frozen=True)
class Locked:
    lock: Lock


@dataclass(frozen=True)
class Unlocked:
    """`told`: pull requests that waited and get a fresh plan now."""

    target: Target
    by: str
    told: tuple[int, ...] = ()


@dataclass(frozen=True)
class LinkCode:
    """A one-time code, for the eyes of the asker alone, to be confirmed on the other platform with `command`."""

    code: str
    command: str
    where: Literal["github", "slack"]
    expires_at: datetime


Result = Refused | Faulted | Noted | Started | Help | Status | History | Locked | Unlocked | LinkCode
