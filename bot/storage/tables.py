"""All tables. Their columns follow the domain's dataclasses; a change needs a revision in migrations/versions.

`seq` counts rows as they arrive, since times may be equal. What is secret is in columns of type Sealed.
"""

from __future__ import annotations

from sqlalchemy import (
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

from bot.domain.approval import Approval, Decision
from bot.domain.audit import Entry
from bot.domain.drift import Drift
from bot.domain.hold import Hold
from bot.domain.lock import Lock, Waiter
from bot.domain.ports.forge import PullRequest, Repository
from bot.domain.ports.inbox import Delivery
from bot.domain.ports.records import Artifact, FollowUp, Ticket
from bot.domain.ports.state import Grant
from bot.domain.ports.store import Code, Identity
from bot.domain.ports.surfaces import Surface
from bot.domain.release import Release
from bot.domain.run import Plan, Run
from bot.domain.state import LockInfo, StateVersion
from bot.domain.unsaved import Unsaved
from bot.storage.columns import Sealed, Serial, Utc, columns

NAMES = {
    "ix": "ix_%(table_name)s_%(column_0_N_name)s",
    "uq": "uq_%(table_name)s_%(column_0_N_name)s",
    "fk": "fk_%(table_name)s_%(column_0_name)s_%(referred_table_name)s",
    "pk": "pk_%(table_name)s",
}

metadata = MetaData(naming_convention=NAMES)
inbox_metadata = MetaData(naming_convention=NAMES)
"""On Postgres beside the other tables; on SQLite alone in a file of its own."""


def _seq() -> Column[int]:
    return Column("seq", Serial, primary_key=True, autoincrement=True)


def _repository() -> Column[str]:
    """The target's, apart, to look rows up by it."""
    return Column("repository", Text, nullable=False)


keys = Table("keys", metadata, Column("id", Text, primary_key=True), Column("proof", Sealed, nullable=False))

repositories = Table("repositories", metadata, *columns(Repository, key=["name"]))

pulls = Table(
    "pulls",
    metadata,
    *columns(PullRequest, key=["repository", "number"]),
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

drifts = Table(
    "drifts",
    metadata,
    _seq(),
    *columns(Drift),
    _repository(),
    UniqueConstraint("id"),
    Index(None, "target", "seq"),
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

audit = Table("audit", metadata, *columns(Entry, key=["number"]))

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

state_deltas = (
    Table(  # versions kept as differences, each from the one before it; the first of them from a full copy
        "state_deltas",
        metadata,
        Column("state_id", Text, ForeignKey("states.id"), primary_key=True),
        Column("keyframe", Text, ForeignKey("state_files.state_id"), nullable=False),
        Column("depth", Integer, nullable=False),  # how many of them lead to it, itself among them
        Column("file", Sealed, nullable=False),
        UniqueConstraint("keyframe", "depth"),
    )
)

state_heads = Table(  # which version is current (none: the state was ended); locked while a state is appended
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
