"""What every use case works with: the ports, a clock, and nothing that knows GitHub, Slack or SQL."""

from __future__ import annotations

import hashlib
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path

from bot.domain.ports.forge import Forge, PullRequest, Repository
from bot.domain.ports.git import Git, Remote
from bot.domain.ports.smoke import Smoker
from bot.domain.ports.store import Store, Tables
from bot.domain.ports.surfaces import Surface, SurfaceKind
from bot.domain.ports.terraform import Terraform
from bot.domain.ports.work import Backends, Secrets, Work
from bot.domain.results import Result, Status
from bot.domain.run import Origin, Run

GATHER = timedelta(seconds=2)
EACH = timedelta(seconds=0.15)
"""What each other run adds to it: the more there are, the more an edit costs and the less of it is new."""
REMEMBERED = 5.0
"""Seconds for which a repository's row is not read again: another process may have learned that it was renamed."""
MOST = 1024
"""Pull requests that are remembered as GitHub told them last."""
PULL_SURFACES: tuple[SurfaceKind, ...] = ("status", "card")


def utcnow() -> datetime:
    return datetime.now(UTC)


@dataclass(frozen=True)
class Context:
    """The ports, wired. `data_dir` holds worktrees and journals; `worker` names this process; `address` starts links;
    `slash` is the slash command's name; `hidden` are values that no output may show."""

    store: Store
    forge: Forge
    git: Git
    terraform: Terraform
    backends: Backends
    secrets: Secrets
    work: Work
    smoke: Smoker
    data_dir: Path
    worker: str
    address: str
    slash: str = "/infra"
    channel: str = ""
    logins: dict[str, str] = field(default_factory=dict)
    """Slack users (`team/user`; of the bot's own workspace the user alone) to GitHub logins."""
    team: Callable[[], str] = lambda: ""
    """The Slack workspace that the bot is of; raises ChatError where Slack does not tell."""
    hidden: tuple[str, ...] = ()
    turns: threading.Semaphore = field(default_factory=lambda: threading.Semaphore(1_000))
    """One for each plan for which Terraform may work at once: others are prepared meanwhile, and wait for a turn.
    More than there are slots by default: then the queue alone decides."""
    heard: dict[tuple[str, int], tuple[float, PullRequest]] = field(default_factory=dict)
    """Repository and number → when GitHub was asked (monotonic seconds), and its answer; see `refresh`."""
    repositories: dict[str, tuple[float, Repository]] = field(default_factory=dict)
    """Name → when its row was read (monotonic seconds), and the row; see `known`."""
    sights: dict[PullRequest, Status] | None = None
    """How pull requests stand, for as long as surfaces are shown by one look; None where each look is new."""
    now: Callable[[], datetime] = utcnow
    tell: Callable[[Tables, Origin, str, int, Result], None] = lambda *_facts: None
    """Answer where something was asked: (transaction, origin, repository, pull request, result)."""
    link: Callable[[str], str] = lambda run_id: f"/runs/{run_id}"
    """run id → the address of its live log, with the key that opens it."""
    ended: Callable[[Run], None] = lambda _run: None
    """Told of each run that ended, for the metrics."""
    poke: Callable[[], None] = lambda: None
    """Called after surfaces became due: the projector looks now."""

    def remote(self, repository: str) -> Remote:
        """Where to fetch a repository from. The clone URL came with a payload, or GitHub is asked once."""
        return Remote(repository, self.known(repository).clone_url, self.forge.git_credentials(repository))

    def known(self, repository: str) -> Repository:
        """The repository's row; asked of GitHub and kept where there is none."""
        now = time.monotonic()
        before = self.repositories.get(repository)
        if before is not None and now - before[0] < REMEMBERED:
            return before[1]
        with self.store.read() as tables:
            row = tables.pulls.repository(repository)
        if row is None:
            row = self.forge.repository(repository)
            with self.store.begin() as tables:
                tables.pulls.save_repository(row)
        self.repositories[repository] = now, row
        return row

    def learn(self, seen: Repository) -> None:
        """Keep what a payload told of a repository."""
        with self.store.read() as tables:
            if tables.pulls.repository(seen.name) == seen:
                return
        with self.store.begin() as tables:
            tables.pulls.save_repository(seen)
        self.repositories.pop(seen.name, None)

    def refresh(self, repository: str, number: int, at_most: float = 0.0) -> PullRequest:
        """The pull request as GitHub has it now, or had it `at_most` seconds ago; kept."""
        now = time.monotonic()
        before = self.heard.get((repository, number))
        if before is not None and now - before[0] < at_most:
            return before[1]
        pull = self.forge.pull(repository, number)
        if len(self.heard) > MOST:
            self.heard.clear()
        self.heard[repository, number] = now, pull
        with self.store.read() as tables:
            known = tables.pulls.get(repository, number)
        if known != pull:
            with self.store.begin() as tables:
                tables.pulls.save(pull)
        return pull


def stable_id(*parts: object) -> str:
    """An id made of what asked for it, so that asking twice makes one row (20 hex digits)."""
    return hashlib.sha256("\0".join(map(str, parts)).encode()).hexdigest()[:20]


def show(
    tables: Tables,
    now: datetime,
    kind: SurfaceKind,
    subject: str,
    repository: str,
    pull: int,
    *,
    urgent: bool = True,
) -> None:
    """Want a surface projected: whatever it shows is read from the rows when its turn comes."""
    tables.surfaces.want(
        Surface(f"{kind}:{subject}", kind, subject, repository, pull, due_at=now, urgent=urgent)
    )


def show_pull(tables: Tables, now: datetime, repository: str, number: int, *, urgent: bool = True) -> None:
    """The pull request's status comment and card, and the checks of its guarded environments where it has them."""
    subject = f"{repository}#{number}"
    gated: tuple[SurfaceKind, ...] = ("gate",) if tables.surfaces.get(f"gate:{subject}") else ()
    for kind in (*PULL_SURFACES, *gated):
        show(tables, now, kind, subject, repository, number, urgent=urgent)


def show_pulls(tables: Tables, now: datetime, repository: str) -> None:
    """A target changed hands or state: every open pull request of the repository shows it."""
    for pull in tables.pulls.open(repository):
        show_pull(tables, now, repository, pull.number)


def show_open(tables: Tables, now: datetime, repository: str) -> None:
    """Something changed that concerns every open pull request of the repository: those that show anything show it."""
    for pull in tables.pulls.open(repository):
        if tables.surfaces.get(f"status:{repository}#{pull.number}") is not None:
            show_pull(tables, now, repository, pull.number, urgent=False)


def show_approval(tables: Tables, now: datetime, approval_id: str, repository: str, pull: int) -> None:
    """An approval's message in Slack's channel, and those to each approver."""
    show(tables, now, "approval", approval_id, repository, pull)
    for surface in tables.surfaces.of_pull(repository, pull, "approval"):
        if surface.subject.startswith(f"{approval_id}/"):
            show(tables, now, "approval", surface.subject, repository, pull)


def show_run(tables: Tables, now: datetime, run: Run, *, urgent: bool = True) -> None:
    """Everything that shows a run: its pull request's comment and card, its target's check, its deployment.

    While other runs of the pull request go on, its comment and card gather what happens within some seconds.
    A look for drift has no surface of its own, and belongs to a pull request only where it was asked for in one.
    """
    if run.kind == "drift":
        if run.pull and tables.surfaces.get(f"status:{run.target.repository}#{run.pull}") is not None:
            show_pull(tables, now, run.target.repository, run.pull, urgent=urgent)
        return
    others = tables.runs.others(run)
    show_pull(
        tables,
        now + GATHER + EACH * others if others else now,
        run.target.repository,
        run.pull,
        urgent=urgent,
    )
    show(tables, now, "check", f"{run.target.key}#{run.pull}", run.target.repository, run.pull, urgent=urgent)
    if not urgent:
        return
    if run.kind == "apply":
        show(tables, now, "deployment", run.id, run.target.repository, run.pull)
        if run.approval:
            show_approval(tables, now, run.approval, run.target.repository, run.pull)
    show_queue(tables, now, run.target.repository, run.pull)


def show_asked(tables: Tables, now: datetime, later: datetime, runs: Sequence[Run]) -> None:
    """Runs of one pull request that were asked for together: its comment and card now, each one's check `later`."""
    for repository, pull in {(run.target.repository, run.pull) for run in runs}:
        show_pull(tables, now, repository, pull)
        show_queue(tables, later, repository, pull)
    for run in runs:
        show(tables, later, "check", f"{run.target.key}#{run.pull}", run.target.repository, run.pull)


def show_queue(tables: Tables, now: datetime, repository: str, pull: int) -> None:
    """The groups of the merge queue that the pull request is in."""
    for group in tables.surfaces.of_pull(repository, 0, "queue"):  # few: they are soon forgotten
        if pull in group.external.get("pulls", [group.wanted["number"]]):
            show(tables, now, "queue", group.subject, repository, 0)
