"""What every use case works with: the ports, a clock, and the functions that mark surfaces as due."""

from __future__ import annotations

import hashlib
import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from bot.domain.actions import MergePush
from bot.domain.chat import Reply, Status
from bot.domain.plans import PlanLimits
from bot.domain.policy import Policy
from bot.domain.ports.chat import ChatError, ChatUser
from bot.domain.ports.exports import Exporter
from bot.domain.ports.forge import Forge, PullRequest, Repository
from bot.domain.ports.git import Git, Remote
from bot.domain.ports.secrets import Secrets
from bot.domain.ports.smoke import Smoker
from bot.domain.ports.store import Store, Tables
from bot.domain.ports.surfaces import Surface, SurfaceKind
from bot.domain.ports.terraform import Terraform
from bot.domain.ports.work import Backends, Work
from bot.domain.run import Origin, Plan, Run
from bot.domain.target import Target
from bot.services.caches import Caches

GATHER = timedelta(seconds=2)
EACH = timedelta(seconds=0.15)
"""What each further run adds to it: with more runs an edit costs more and shows less that is new."""
REMEMBERED = 5.0
"""Seconds for which a repository's row is cached; another process may have recorded a rename."""
CLAIMED = 30.0
"""Seconds for which GitHub is not asked again about the same claim of a payload."""
PULL_SURFACES: tuple[SurfaceKind, ...] = ("status", "card")


def utcnow() -> datetime:
    return datetime.now(UTC)


def no_slack(_user: str) -> ChatUser:
    raise ChatError("Slack is off.", code="off")


@dataclass(frozen=True)
class Delegate:
    """How a bot hands runs over to GitHub Actions. A job that carries them out has none, and runs Terraform itself.

    key: shared with the workflow, "" if none is set. unseal: opens a sealed result, given its context; raises ValueError for
    one of another key or run. plan, apply: carry out a run there, and record what it left.
    """

    key: str
    unseal: Callable[[bytes, str], bytes]
    plan: Callable[[Context, Run], None]
    apply: Callable[[Context, Run, Plan], None]


@dataclass(frozen=True)
class Context:
    """The wired ports. data_dir: worktrees and journals. worker: this process's name. address: the start of links.
    slash: the name of the slash command. hidden: values that no output may show."""

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
    """Slack users (`user`, or `team/user`) of the bot's own workspace to GitHub logins."""
    team: Callable[[], str] = lambda: ""
    """Returns the bot's Slack workspace. Raises ChatError if Slack does not answer."""
    slack_user: Callable[[str], ChatUser] = no_slack
    """Returns a Slack user, by id. Raises ChatError."""
    hidden: tuple[str, ...] = ()
    issuer: str = ""
    """The bot's address as the issuer of tokens for clouds, "" if clouds could not reach it."""
    turns: threading.Semaphore = field(default_factory=lambda: threading.Semaphore(1_000))
    """Limits how many Terraforms plan at once, while further plans are prepared. The default is more than the slots, so
    that the queue alone decides."""
    plan_limits: PlanLimits = field(default_factory=PlanLimits)
    """How many plans people may request."""
    caches: Caches = field(default_factory=Caches)
    sights: dict[PullRequest, Status] | None = None
    """Statuses of pull requests, shared while several surfaces are projected together; None to read each time."""
    now: Callable[[], datetime] = utcnow
    tell: Callable[[Tables, Origin, str, int, Reply], None] = lambda *_facts: None
    """Reply where a request was made: (transaction, origin, repository, pull request, result)."""
    link: Callable[[str], str] = lambda run_id: f"/runs/{run_id}"
    """Returns the address of a run's live log, with its key."""
    plan_link: Callable[[str], str] = lambda plan_id: f"/plans/{plan_id}"
    """Returns the address of the page with all that a plan changes, with its key."""
    export_link: Callable[[str], str] = lambda export_id: f"/exports/{export_id}"
    """Returns the address of an export's page, with its key."""
    exporter: Exporter | None = None
    """Carries out exports; None in a process that runs none."""
    ended: Callable[[Run], None] = lambda _run: None
    """Called with each run that ended, for the metrics."""
    planned: Callable[[Run, Mapping[str, Any]], None] = lambda _run, _plan: None
    """Called with each plan as `show -json` writes it, secrets included."""
    tokens: Callable[[Mapping[str, str]], dict[str, str]] | None = None
    """Fetches tokens for clouds from another issuer, by name and audience; None where the bot signs them itself."""
    merge: MergePush | None = None
    """The merge whose reviewed plan this process applies; None for the bot, which applies before the merge."""

    delegate: Delegate | None = None
    """None where Terraform runs in this process, whatever the policy says."""

    def delegate_of(self, policy: Policy, target: Target) -> Delegate | None:
        """Return what carries out a target's runs, None if this process does."""
        return self.delegate if policy.environments[target.environment].runner else None

    def plan_page(self, plan: Plan | None) -> str:
        """Return the address of the page with all that a plan changes, "" if it has none."""
        return self.plan_link(plan.id) if plan and plan.has_page else ""

    def remote(self, repository: str) -> Remote:
        """Return where to fetch a repository from. The clone URL comes from a payload, or GitHub is asked once."""
        return Remote(repository, self.known(repository).clone_url, self.forge.git_credentials(repository))

    def known(self, repository: str) -> Repository:
        """Return the repository's row. If there is none, ask GitHub and store its answer. What is stored always comes from
        GitHub's API: the default branch, which has the policy, and the clone URL, which gets credentials."""

        def ask() -> Repository:
            with self.store.read() as tables:
                row = tables.pulls.repository(repository)
            return self.confirm(repository) if row is None else row

        return self.caches.repositories.get(repository, ask, REMEMBERED)

    def learn(self, seen: Repository) -> None:
        """Ask GitHub about a repository if a payload says something else than is known. Payloads may be old, or forged."""
        with self.store.read() as tables:
            if tables.pulls.repository(seen.name) == seen:
                return
        self.caches.claims.get(seen, lambda: self.confirm(seen.name), CLAIMED)

    def confirm(self, repository: str) -> Repository:
        """Ask GitHub about a repository, and store its answer. Raises ForgeError."""
        row = self.forge.repository(repository)
        with self.store.read() as tables:
            known = tables.pulls.repository(row.name)
        if known != row:
            with self.store.begin() as tables:
                tables.pulls.save_repository(row)
            self.caches.repositories.forget(row.name)
        return row

    def refresh(self, repository: str, number: int, at_most: float = 0.0) -> PullRequest:
        """Return the pull request as read from GitHub at most `at_most` seconds ago, and store it."""

        def ask() -> PullRequest:
            pull = self.forge.pull(repository, number)
            with self.store.read() as tables:
                known = tables.pulls.get(repository, number)
                seen = tables.pulls.head_seen(repository, number, pull.head_sha)
            if known != pull or (seen is None and pull.updated_at is not None):
                with self.store.begin() as tables:
                    tables.pulls.save(pull)
                    if pull.updated_at is not None:
                        tables.pulls.saw_head(repository, number, pull.head_sha, pull.updated_at)
            return pull

        return self.caches.pulls.get((repository, number), ask, at_most)


def stable_id(*parts: object) -> str:
    """Return an id (20 hex digits) derived from what made the request, so that a repeated request makes one row."""
    return hashlib.sha256("\0".join(map(str, parts)).encode()).hexdigest()[:20]


@dataclass(frozen=True)
class SurfaceKey:
    """A surface to show: its kind and subject, and the pull request that it belongs to (0 for none)."""

    kind: SurfaceKind
    subject: str
    repository: str
    pull: int


def show(tables: Tables, now: datetime, key: SurfaceKey, *, urgent: bool = True) -> None:
    """Mark a surface as due. What it shows is read from the rows when it is projected."""
    surface = Surface(f"{key.kind}:{key.subject}", key.kind, key.subject, key.repository, key.pull)
    tables.surfaces.want(replace(surface, due_at=now, urgent=urgent))


def show_pull(tables: Tables, now: datetime, repository: str, number: int, *, urgent: bool = True) -> None:
    """Mark a pull request's status comment and card as due, and its gate checks if it has them."""
    subject = f"{repository}#{number}"
    gated: tuple[SurfaceKind, ...] = ("gate",) if tables.surfaces.get(f"gate:{subject}") else ()
    for kind in (*PULL_SURFACES, *gated):
        show(tables, now, SurfaceKey(kind, subject, repository, number), urgent=urgent)


def show_pulls(tables: Tables, now: datetime, repository: str) -> None:
    """Mark the surfaces of all open pull requests as due, after a target's lock or state changed."""
    for pull in tables.pulls.open(repository):
        show_pull(tables, now, repository, pull.number)


def show_open(tables: Tables, now: datetime, repository: str) -> None:
    """Mark the surfaces of all open pull requests that have a status comment as due."""
    for pull in tables.pulls.open(repository):
        if tables.surfaces.get(f"status:{repository}#{pull.number}") is not None:
            show_pull(tables, now, repository, pull.number, urgent=False)


def show_approval(tables: Tables, now: datetime, approval_id: str, repository: str, pull: int) -> None:
    """Mark an approval's Slack messages as due: in the channel and to each approver."""
    show(tables, now, SurfaceKey("approval", approval_id, repository, pull))
    for surface in tables.surfaces.of_pull(repository, pull, "approval"):
        if surface.subject.startswith(f"{approval_id}/"):
            show(tables, now, SurfaceKey("approval", surface.subject, repository, pull))


def show_run(tables: Tables, now: datetime, run: Run, *, urgent: bool = True) -> None:
    """Mark everything that shows a run as due: the pull request's comment and card, the target's check, the deployment.

    While other runs of the pull request are active, its comment and card gather changes for some seconds. So do those of
    an instance, with its check, until `settle_run` shows what it is: its plan, apply and destroy follow each other by
    themselves, and each step is over before anybody has read of it.
    A drift check has no surface of its own, and belongs to a pull request only if it was requested there. A sync is shown
    where its target's pull requests are.
    """
    if run.kind in ("apply", "sync"):
        show_issue(tables, now, run)
    if run.sync:
        _show_synced(tables, now, run, urgent=urgent)
    if run.kind == "sync":
        if run.pull:
            show_pull(tables, now, run.target.repository, run.pull, urgent=urgent)
        return
    if run.kind == "drift":
        if run.pull and tables.surfaces.get(f"status:{run.target.repository}#{run.pull}") is not None:
            show_pull(tables, now, run.target.repository, run.pull, urgent=urgent)
        return
    others = tables.runs.others(run)
    passing = bool(run.target.instance) and run.active and tables.instances.get(run.target) is not None
    show_pull(
        tables,
        now + GATHER + EACH * others if others or passing else now,
        run.target.repository,
        run.pull,
        urgent=urgent,
    )
    show(
        tables,
        now + GATHER if passing else now,
        SurfaceKey("check", f"{run.target.key}#{run.pull}", run.target.repository, run.pull),
        urgent=urgent,
    )
    if not urgent:
        return
    if run.kind == "apply":
        show(tables, now, SurfaceKey("deployment", run.id, run.target.repository, run.pull))
        if run.approval:
            show_approval(tables, now, run.approval, run.target.repository, run.pull)
    show_queue(tables, now, run.target.repository, run.pull)


def _show_synced(tables: Tables, now: datetime, run: Run, *, urgent: bool) -> None:
    """Mark the other pull requests for which a run of the default branch speaks, where they are shown already."""
    sync = tables.syncs.get(run.sync)
    repository = run.target.repository
    for number in sync.pulls if sync else ():
        if number != run.pull and tables.surfaces.get(f"status:{repository}#{number}") is not None:
            show_pull(tables, now, repository, number, urgent=urgent)


def show_issue(tables: Tables, now: datetime, run: Run) -> None:
    """Mark the issue about the target's failed apply of the default branch as due, if there may be one."""
    if run.sync or tables.surfaces.get(f"issue:{run.target.key}") is not None:
        show(tables, now, SurfaceKey("issue", run.target.key, run.target.repository, 0))


def show_asked(tables: Tables, now: datetime, later: datetime, runs: Sequence[Run]) -> None:
    """Mark the surfaces of runs that were requested together as due: comment and card now, each run's check `later`."""
    for repository, pull in {(run.target.repository, run.pull) for run in runs}:
        show_pull(tables, now, repository, pull)
        show_queue(tables, later, repository, pull)
    for run in runs:
        show(
            tables,
            later,
            SurfaceKey("check", f"{run.target.key}#{run.pull}", run.target.repository, run.pull),
        )


def show_queue(tables: Tables, now: datetime, repository: str, pull: int) -> None:
    """Mark the merge queue groups that contain the pull request as due."""
    for group in tables.surfaces.of_pull(repository, 0, "queue"):  # few: they are deleted soon
        if pull in group.external.get("pulls", [group.wanted["number"]]):
            show(tables, now, SurfaceKey("queue", group.subject, repository, 0))
