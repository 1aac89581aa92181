"""What commands answer: frozen facts, independent of GitHub's and Slack's formats."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Literal

from bot.domain.approvals import ApprovalState
from bot.domain.chat.status import Status
from bot.domain.drift import Drift
from bot.domain.exports import ExportHistory, ExportView
from bot.domain.lock import Lock
from bot.domain.parity import Parity
from bot.domain.ports.forge import PullRequest
from bot.domain.refusal import Refused
from bot.domain.release import Release
from bot.domain.run import Plan, Run
from bot.domain.secrets import SecretsReport
from bot.domain.states import StateDiff, StateVersion
from bot.domain.target import Target
from bot.domain.why import Why


@dataclass(frozen=True)
class InternalError:
    """A bug or an outage on the bot's side. `reference` ties the message to the log."""

    reference: str


@dataclass(frozen=True)
class Notice:
    """A plain answer in a sentence or two, with what can be done next."""

    text: str
    next_step: str = ""
    tone: Literal["good", "plain", "warning"] = "plain"


@dataclass(frozen=True)
class RunsStarted:
    """Runs that were created. `behind`: by target key, the run that must end first. `later`: targets that can be planned
    only once these runs have ended."""

    runs: tuple[Run, ...]
    behind: dict[str, Run]
    later: tuple[Target, ...] = ()

    @property
    def at_once(self) -> bool:
        """Whether nothing but the runs themselves keeps any of them from starting."""
        own = {run.id for run in self.runs}
        return not self.later and all(run.id in own for run in self.behind.values())


@dataclass(frozen=True)
class CommandHelp:
    """The help of one command. role: the one needed to use it."""

    name: str
    usage: str
    summary: str
    description: str
    examples: tuple[str, ...]
    role: str
    aliases: tuple[str, ...] = ()


@dataclass(frozen=True)
class Help:
    """All commands, or one in detail (`one`)."""

    commands: tuple[CommandHelp, ...]
    one: CommandHelp | None = None
    slash: str = "/infra"


@dataclass(frozen=True)
class History:
    """State versions of a target, newest first. releases: those that left one of them, by id; damaged: ids of versions
    that can no longer be read."""

    target: Target
    versions: tuple[StateVersion, ...]
    more: bool = False
    releases: dict[str, Release] = field(default_factory=dict)
    damaged: frozenset[str] = frozenset()


@dataclass(frozen=True)
class StateComparison:
    """What changed from one recorded state of a target to another."""

    target: Target
    before: StateVersion
    after: StateVersion
    diff: StateDiff


@dataclass(frozen=True)
class Drifted:
    """The result of a drift check that someone requested.

    past: the target's latest reports, newest first; the first is the one that `found` repeats, if it is not new. link:
    address of the check's log.
    """

    found: Drift
    past: tuple[Drift, ...] = ()
    link: str = ""


@dataclass(frozen=True)
class ApprovalRequest:
    """An approval as approvers see it: the message in Slack, its modals, and the reply to the request.

    plan: None while it is being made, or when it is gone. stage: the release to promote. run: the apply that used the
    approval. apply_command: what the requester types when all have approved (GitHub's form). link: address of the plan's
    log. page: address of the page with all that the plan changes, "" if there is none.
    """

    state: ApprovalState
    pull: PullRequest
    plan: Plan | None = None
    stage: Release | None = None
    run: Run | None = None
    apply_command: str = ""
    link: str = ""
    page: str = ""


@dataclass(frozen=True)
class Locked:
    """A lock that was taken by hand."""

    lock: Lock


@dataclass(frozen=True)
class Unlocked:
    """A lock that was released. by: name of the person; waiting_pulls: pull requests that waited and are planned again."""

    target: Target
    by: str
    waiting_pulls: tuple[int, ...] = ()


@dataclass(frozen=True)
class LinkCode:
    """A one-time code, shown to the requester alone, to be confirmed on the other platform with `command`."""

    code: str
    command: str
    where: Literal["github", "slack"]
    expires_at: datetime


Result = (
    Refused
    | InternalError
    | Notice
    | RunsStarted
    | Help
    | Status
    | History
    | StateComparison
    | Drifted
    | Parity
    | ApprovalRequest
    | Locked
    | Unlocked
    | LinkCode
    | Why
    | SecretsReport
    | ExportView
    | ExportHistory
)


@dataclass(frozen=True)
class Late:
    """An answer to a command that was processed long after it was written, at `written_at` by the platform's clock."""

    result: Result
    written_at: datetime
    delay: timedelta


Reply = Result | Late
