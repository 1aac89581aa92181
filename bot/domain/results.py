"""What commands answer and what surfaces show: frozen facts, without a word of GitHub's or Slack's formats."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal

from bot.domain.answers import Answer, Refused
from bot.domain.approval import Standing
from bot.domain.drift import Drift
from bot.domain.freeze import Frozen
from bot.domain.hold import Hold
from bot.domain.lock import Lock, Waiter
from bot.domain.policy import Environment
from bot.domain.ports.forge import PullRequest
from bot.domain.ports.records import FollowUp
from bot.domain.release import Release
from bot.domain.run import Plan, Run
from bot.domain.state import StateVersion
from bot.domain.state_diff import StateDiff
from bot.domain.target import Target
from bot.domain.unsaved import Unsaved


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
    Of a guarded environment besides: gates: what each of bot.domain.promotion.PROMOTION says of an apply now, and
    blocked: the first no among them; consent: the newest approval of this pull request there, as it stands.
    frozen, coming: the freeze that is on, or that begins within a day. follow_ups: break-glasses that nobody has
    acknowledged. hold: what a revert left, whoever's it was. undone: the revert that stands there now took back what this
    pull request applied. unsaved: a state there that waits to be pushed. drift: what was found of what stands there, None where nothing
    was; look: the newest look for it.
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
    gates: tuple[Answer, ...] = ()
    blocked: Refused | None = None
    consent: Standing | None = None
    frozen: Frozen | None = None
    coming: Frozen | None = None
    follow_ups: tuple[FollowUp, ...] = ()
    hold: Hold | None = None
    undone: bool = False
    unsaved: Unsaved | None = None
    drift: Drift | None = None
    look: Run | None = None

    @property
    def returning(self) -> bool:
        """Whether the newest plan is a way back that waits to be taken, or was left half way; which one may go after
        the merge, too."""
        if self.plan is None or not self.plan.reverts:
            return False
        there = self.release
        left = there is not None and (not there.active or there.commit == self.plan.base_commit)
        return self.plan.status == "fresh" or (self.plan.status == "failed" and left)


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
    """State versions of a target, newest first. releases: those that they belong to, by id; damaged: ids of versions
    that cannot be read any more."""

    target: Target
    versions: tuple[StateVersion, ...]
    more: bool = False
    releases: dict[str, Release] = field(default_factory=dict)
    damaged: frozenset[str] = frozenset()


@dataclass(frozen=True)
class Difference:
    """What changed from one recorded state of a target to another."""

    target: Target
    before: StateVersion
    after: StateVersion
    diff: StateDiff


@dataclass(frozen=True)
class Drifted:
    """What a look for drift that somebody asked for found. past: the target's last findings, newest first; the first is
    what `found` says, unless neither says anything. link: address of the look's log."""

    found: Drift
    past: tuple[Drift, ...] = ()
    link: str = ""


@dataclass(frozen=True)
class Asking:
    """An approval as people are asked for it: the message in Slack, its modals, `/approve`'s answer.

    plan: None while it is being made, or when it is gone. stage: the release it is promoted from. run: the apply that
    used it. apply_command: what the requester types when it is ready (GitHub's form). link: address of the plan's log.
    """

    standing: Standing
    pull: PullRequest
    plan: Plan | None = None
    stage: Release | None = None
    run: Run | None = None
    apply_command: str = ""
    link: str = ""


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


Result = (
    Refused
    | Faulted
    | Noted
    | Started
    | Help
    | Status
    | History
    | Difference
    | Drifted
    | Asking
    | Locked
    | Unlocked
    | LinkCode
)
