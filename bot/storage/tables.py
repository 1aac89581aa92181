"""Define all tables. Columns follow the domain's dataclasses; a change needs a revision in migrations/versions.

`seq` orders rows by insertion, since times may be equal. Secrets are in columns of type Sealed.
"""

from __future__ import annotations

from sqlalchemy import (
    JSON,
    BigInteger,
    Boolean,
    Column,
    ForeignKey,
    Index,
    Integer,
    MetaData,
    Table,
    Text,
    UniqueConstraint,
)

from bot.domain.approvals import Approval, Decision
from bot.domain.audit import Entry
from bot.domain.drift import Baseline, Drift
from bot.domain.exports import Export, ExportDecision
from bot.domain.hold import Hold
from bot.domain.identity import SigningKey
from bot.domain.lock import Lock, Waiter
from bot.domain.plans import PlanUse
from bot.domain.ports.forge import PullRequest, Repository
from bot.domain.ports.inbox import Delivery
from bot.domain.ports.records import Artifact, FollowUp, Ticket
from bot.domain.ports.state import Grant
from bot.domain.ports.store import Code, Identity
from bot.domain.ports.surfaces import Surface
from bot.domain.previews import Instance
from bot.domain.release import Release
from bot.domain.run import Plan, Run
from bot.domain.states import LockInfo, StateVersion, Unsaved
from bot.domain.sync import Sync
from bot.storage.columns import Sealed, Serial, Utc, columns

NAMES = {
    "ix": "ix_%(table_name)s_%(column_0_N_name)s",
    "uq": "uq_%(table_name)s_%(column_0_N_name)s",
    "fk": "fk_%(table_name)s_%(column_0_name)s_%(referred_table_name)s",
    "pk": "pk_%(table_name)s",
}

metadata = MetaData(naming_convention=NAMES)
inbox_metadata = MetaData(naming_convention=NAMES)
"""In the same database on Postgres, in a file of its own on SQLite."""


def _seq() -> Column[int]:
    return Column("seq", Serial, primary_key=True, autoincrement=True)


def _repository() -> Column[str]:
    """Return a column with the target's repository, to select rows by it."""
    return Column("repository", Text, nullable=False)


keys = Table("keys", metadata, Column("id", Text, primary_key=True), Column("proof", Sealed, nullable=False))

repositories = Table("repositories", metadata, *columns(Repository, key=["name"]))

pulls = Table(
    "pulls",
    metadata,
    *columns(PullRequest, key=["repository", "number"], without=["updated_at"]),
    Index(None, "repository", "state"),
)

trusts = Table(
    "trusts",
    metadata,
    Column("repository", Text, primary_key=True),
    Column("number", BigInteger, primary_key=True, autoincrement=False),
    Column("head_sha", Text, primary_key=True),
    Column("login", Text, nullable=False),
)

# Who pushed to a pull request, as webhooks tell and GitHub's API does not; logins in lower case.
pushers = Table(
    "pushers",
    metadata,
    Column("repository", Text, primary_key=True),
    Column("number", BigInteger, primary_key=True, autoincrement=False),
    Column("login", Text, primary_key=True),
)

# Who pushed a commit to any branch: its pull request may be opened later, and from another branch.
pushed_commits = Table(
    "pushed_commits",
    metadata,
    Column("repository", Text, primary_key=True),
    Column("commit", Text, primary_key=True),
    Column("login", Text, primary_key=True),
)

heads = Table(
    "heads",
    metadata,
    Column("repository", Text, primary_key=True),
    Column("number", BigInteger, primary_key=True, autoincrement=False),
    Column("head_sha", Text, primary_key=True),
    Column("seen_at", Utc, nullable=False),
)

runs = Table(
    "runs",
    metadata,
    _seq(),
    *columns(Run),
    _repository(),
    UniqueConstraint("id"),
    Index(None, "target", "seq"),
    Index(None, "repository", "seq"),
    Index(None, "phase"),
)

logs = Table(
    "logs",
    metadata,
    Column("run_id", Text, ForeignKey("runs.id"), primary_key=True),
    Column("start", Integer, primary_key=True, autoincrement=False),
    Column("end", Integer, nullable=False),
    Column("lines", Sealed, nullable=False),
)

# How runs failed. No foreign key: the version before deletes runs and does not know of this table.
failures = Table(
    "failures",
    metadata,
    Column("run_id", Text, primary_key=True),
    Column("recorded_at", Utc, nullable=False),
    Column("content", Sealed, nullable=False),
    Index(None, "recorded_at"),
)

plans = Table(
    "plans",
    metadata,
    _seq(),
    *columns(Plan),
    _repository(),
    UniqueConstraint("id"),
    Index(None, "target", "pull", "seq"),
    Index(None, "status"),
)

plan_files = Table(
    "plan_files",
    metadata,
    Column("plan_id", Text, ForeignKey("plans.id"), primary_key=True),
    Column("file", Sealed, nullable=False),
)

plan_uses = Table(
    "plan_uses",
    metadata,
    *columns(PlanUse, key=["id"]),
    Index(None, "login", "at"),
    Index(None, "repository", "pull", "at"),
    Index(None, "at"),
)

plan_pages = Table(
    "plan_pages",
    metadata,
    Column("plan_id", Text, ForeignKey("plans.id"), primary_key=True),
    Column("number", Integer, primary_key=True, autoincrement=False),
    Column("content", Sealed, nullable=False),
)

locks = Table(
    "locks",
    metadata,
    *columns(Lock, key=["target"]),
    _repository(),
    Index(None, "repository", "pull"),
)

waiters = Table(
    "waiters",
    metadata,
    *columns(Waiter, key=["target", "pull"]),
    _repository(),
    Index(None, "repository", "pull"),
)

releases = Table(
    "releases",
    metadata,
    _seq(),
    *columns(Release),
    _repository(),
    UniqueConstraint("id"),
    Index(None, "target", "seq"),
)

holds = Table(
    "holds",
    metadata,
    *columns(Hold, key=["target"]),
    _repository(),
    Index(None, "repository"),
)

instances = Table(
    "instances",
    metadata,
    *columns(Instance, key=["target"]),
    _repository(),
    Column("environment", Text, nullable=False),
    Index(None, "repository", "pull"),
    Index(None, "state"),
)

drifts = Table(
    "drifts",
    metadata,
    _seq(),
    *columns(Drift),
    _repository(),
    UniqueConstraint("id"),
    Index(None, "target", "seq"),
)

# One of each target: that of its latest state that was refreshed.
baselines = Table("baselines", metadata, *columns(Baseline, key=["target"]))

syncs = Table(
    "syncs",
    metadata,
    _seq(),
    *columns(Sync),
    _repository(),
    UniqueConstraint("id"),
    Index(None, "target", "seq"),
    Index(None, "repository", "status"),
    Index(None, "status"),
)

exports = Table(
    "exports",
    metadata,
    _seq(),
    *columns(Export),
    Column("preview", JSON, nullable=True),
    Column("manifest", JSON, nullable=True),
    UniqueConstraint("id"),
    Index(None, "repository", "environment", "seq"),
    Index(None, "phase"),
)

export_decisions = Table(
    "export_decisions",
    metadata,
    _seq(),
    *columns(ExportDecision),
    UniqueConstraint("id"),
    Index(None, "export"),
)

# Until when the due times of a schedule are dealt with.
export_schedules = Table(
    "export_schedules",
    metadata,
    Column("repository", Text, primary_key=True),
    Column("environment", Text, primary_key=True),
    Column("schedule", Text, nullable=False),
    Column("ticked_at", Utc, nullable=False),
)

approvals = Table(
    "approvals",
    metadata,
    _seq(),
    *columns(Approval),
    _repository(),
    UniqueConstraint("id"),
    Index(None, "target", "pull", "seq"),
    Index(None, "repository", "pull"),
    Index(None, "status"),
)

decisions = Table(
    "decisions",
    metadata,
    _seq(),
    *columns(Decision),
    UniqueConstraint("id"),
    Index(None, "approval_id", "seq"),
)

artifacts = Table(
    "artifacts",
    metadata,
    *columns(Artifact, key=["id"]),
    _repository(),
    Column("content", Sealed, nullable=False),
    UniqueConstraint("target", "name"),
    Index(None, "repository"),
)

tickets = Table("tickets", metadata, *columns(Ticket, key=["digest"]))

follow_ups = Table(
    "follow_ups",
    metadata,
    _seq(),
    *columns(FollowUp),
    _repository(),
    UniqueConstraint("id"),
    Index(None, "acknowledged_at"),
    Index(None, "repository"),
)

audit = Table("audit", metadata, *columns(Entry, key=["number"]), Index(None, "repository", "pull"))

surfaces = Table(
    "surfaces",
    metadata,
    *columns(Surface, key=["id"]),
    Column("claimed_until", Utc),
    Column("claimed_by", Text),
    Column("again", Boolean, nullable=False),
    Index(None, "due_at"),
    Index(None, "repository", "pull"),
)

identities = Table("identities", metadata, *columns(Identity, key=["slack"]))

codes = Table("codes", metadata, *columns(Code, key=["digest"]))

channels = Table(
    "channels",
    metadata,
    Column("channel", Text, primary_key=True),
    Column("repository", Text, nullable=False),
)

states = Table(
    "states",
    metadata,
    _seq(),
    *columns(StateVersion),
    UniqueConstraint("id"),
    Index(None, "target_key", "seq"),
)

state_files = Table(
    "state_files",
    metadata,
    Column("state_id", Text, ForeignKey("states.id"), primary_key=True),
    Column("file", Sealed, nullable=False),
)

# Versions stored as deltas from the version before, starting from a full copy (keyframe) in state_files.
state_deltas = Table(
    "state_deltas",
    metadata,
    Column("state_id", Text, ForeignKey("states.id"), primary_key=True),
    Column("keyframe", Text, ForeignKey("state_files.state_id"), nullable=False),
    Column("depth", Integer, nullable=False),  # number of deltas from the keyframe, including this one
    Column("file", Sealed, nullable=False),
    UniqueConstraint("keyframe", "depth"),
)

# The current version of each target (NULL: the state was ended). The row is locked while a state is appended.
state_heads = Table(
    "state_heads",
    metadata,
    Column("target_key", Text, primary_key=True),
    Column("state_id", Text, ForeignKey("states.id")),
)

state_locks = Table(
    "state_locks",
    metadata,
    Column("target_key", Text, primary_key=True),
    *columns(LockInfo),
    Column("holder", Text, nullable=False),
)

unsaved = Table(
    "unsaved",
    metadata,
    _seq(),
    *columns(Unsaved),
    _repository(),
    Column("file", Sealed, nullable=False),
    UniqueConstraint("id"),
    Index(None, "target", "ended_at"),
)

credentials = Table(
    "credentials",
    metadata,
    Column("username", Text, primary_key=True),
    Column("digest", Text, nullable=False),
    *columns(Grant),
    Index(None, "run_id"),
)

signing_keys = Table(
    "signing_keys",
    metadata,
    *columns(SigningKey, key=["number"]),
    Column("private", Sealed, nullable=False),
)

workers = Table(
    "workers",
    metadata,
    Column("name", Text, primary_key=True),
    Column("seen_at", Utc, nullable=False),
)

deliveries = Table(
    "deliveries",
    inbox_metadata,
    _seq(),
    *columns(Delivery, without=["headers", "body"]),
    Column("content", Sealed, nullable=False),
    Column("dispatched_at", Utc),
    UniqueConstraint("id"),
    Index(None, "dispatched_at", "seq"),
)
