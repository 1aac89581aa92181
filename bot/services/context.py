"""What every use case works with: the ports, a clock, and nothing that knows GitHub, Slack or SQL."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path

from bot.domain.ports.forge import Forge, PullRequest, Repository
from bot.domain.ports.git import Git, Remote
from bot.domain.ports.store import Store, Surface, SurfaceKind, Tables
from bot.domain.ports.terraform import Terraform
from bot.domain.ports.work import Backends, Secrets, Work
from bot.domain.results import Result
from bot.domain.run import Origin, Run

GATHER = timedelta(seconds=2)
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
    data_dir: Path
    worker: str
    address: str
    slash: str = "/infra"
    channel: str = ""
    logins: dict[str, str] = field(default_factory=dict)
    hidden: tuple[str, ...] = ()
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
        with self.store.read() as tables:
            if row := tables.pulls.repository(repository):
                return row
        row = self.forge.repository(repository)
        with self.store.begin() as tables:
            tables.pulls.save_repository(row)
        return row

    def learn(self, seen: Repository) -> None:
        """Keep what a payload told of a repository."""
        with self.store.read() as tables:
            if tables.pulls.repository(seen.name) == seen:
                return
        with self.store.begin() as tables:
            tables.pulls.save_repository(seen)

    def refresh(self, repository: str, number: int) -> PullRequest:
        """The pull request as GitHub has it now, kept."""
        pull = self.forge.pull(repository, number)
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
    """The pull request's status comment and card."""
    for kind in PULL_SURFACES:
        show(tables, now, kind, f"{repository}#{number}", repository, number, urgent=urgent)


def show_run(tables: Tables, now: datetime, run: Run, *, urgent: bool = True) -> None:
    """Everything that shows a run: its pull request's comment and card, its target's check, its deployment.

    While other runs of the pull request go on, its comment and card gather what happens within two seconds.
    """
    others = any(
        one.id != run.id for one in tables.runs.active(repository=run.target.repository, pull=run.pull)
    )
    show_pull(tables, now + GATHER if others else now, run.target.repository, run.pull, urgent=urgent)
    show(tables, now, "check", f"{run.target.key}#{run.pull}", run.target.repository, run.pull, urgent=urgent)
    if run.kind == "apply" and urgent:
        show(tables, now, "deployment", run.id, run.target.repository, run.pull)
