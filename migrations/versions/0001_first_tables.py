"""Create the first tables."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None

TEXT = sa.Text()
NUMBER = sa.BigInteger()
SERIAL = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
TIME = sa.DateTime(timezone=True)


def text(*names: str) -> list[sa.Column[str]]:
    return [sa.Column(name, TEXT, nullable=False) for name in names]


def upgrade() -> None:
    _keys()
    _pulls()
    _runs()
    _locks()
    _surfaces()
    _states()
    if op.get_context().dialect.name == "postgresql":  # on SQLite the inbox has a file of its own
        _inbox()


def _keys() -> None:
    op.create_table(
        "keys",
        *text("id"),
        sa.Column("proof", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_keys"),
    )


def _pulls() -> None:
    op.create_table(
        "repositories",
        *text("name", "default_branch", "clone_url", "url"),
        sa.Column("private", sa.Boolean(), nullable=False),
        sa.PrimaryKeyConstraint("name", name="pk_repositories"),
    )
    op.create_table(
        "pulls",
        *text("repository"),
        sa.Column("number", NUMBER, autoincrement=False, nullable=False),
        *text("title", "author", "state"),
        sa.Column("draft", sa.Boolean(), nullable=False),
        *text("head_sha", "head_ref", "head_repository", "base_ref", "base_sha", "url", "merge_sha"),
        sa.PrimaryKeyConstraint("repository", "number", name="pk_pulls"),
    )
    op.create_index("ix_pulls_repository_state", "pulls", ["repository", "state"])
    op.create_table(
        "trusts",
        *text("repository"),
        sa.Column("number", NUMBER, autoincrement=False, nullable=False),
        *text("head_sha", "login"),
        sa.PrimaryKeyConstraint("repository", "number", "head_sha", name="pk_trusts"),
    )


def _runs() -> None:
    op.create_table(
        "runs",
        sa.Column("seq", SERIAL, autoincrement=True, nullable=False),
        *text("id", "kind", "target"),
        sa.Column("pull", NUMBER, nullable=False),
        *text("commit", "base_commit"),
        sa.Column("actor", sa.JSON(), nullable=False),
        sa.Column("origin", sa.JSON(), nullable=False),
        *text("phase"),
        sa.Column("outcome", TEXT, nullable=True),
        *text("plan_id", "message", "next_step", "reference", "worker", "cancel_by", "superseded_by"),
        sa.Column("progress", sa.JSON(), nullable=False),
        sa.Column("created_at", TIME, nullable=True),
        sa.Column("started_at", TIME, nullable=True),
        sa.Column("finished_at", TIME, nullable=True),
        *text("repository"),
        sa.PrimaryKeyConstraint("seq", name="pk_runs"),
        sa.UniqueConstraint("id", name="uq_runs_id"),
    )
    op.create_index("ix_runs_phase", "runs", ["phase"])
    op.create_index("ix_runs_repository_seq", "runs", ["repository", "seq"])
    op.create_index("ix_runs_target_seq", "runs", ["target", "seq"])
    op.create_table(
        "logs",
        *text("run_id"),
        sa.Column("start", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("end", sa.Integer(), nullable=False),
        sa.Column("lines", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("run_id", "start", name="pk_logs"),
        sa.ForeignKeyConstraint(["run_id"], ["runs.id"], name="fk_logs_run_id_runs"),
    )
    op.create_table(
        "plans",
        sa.Column("seq", SERIAL, autoincrement=True, nullable=False),
        *text("id", "run_id", "target"),
        sa.Column("pull", NUMBER, nullable=False),
        *text("commit", "base_commit", "digest", "policy", "engine", "lineage"),
        sa.Column("serial", NUMBER, nullable=False),
        *text("tree", "worktree", "root"),
        sa.Column("has_changes", sa.Boolean(), nullable=False),
        sa.Column("summary", sa.JSON(), nullable=False),
        sa.Column("backend", sa.JSON(), nullable=False),
        sa.Column("created_at", TIME, nullable=False),
        *text("status", "repository"),
        sa.PrimaryKeyConstraint("seq", name="pk_plans"),
        sa.UniqueConstraint("id", name="uq_plans_id"),
    )
    op.create_index("ix_plans_status", "plans", ["status"])
    op.create_index("ix_plans_target_pull_seq", "plans", ["target", "pull", "seq"])
    op.create_table(
        "plan_files",
        *text("plan_id"),
        sa.Column("file", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("plan_id", name="pk_plan_files"),
        sa.ForeignKeyConstraint(["plan_id"], ["plans.id"], name="fk_plan_files_plan_id_plans"),
    )
    op.create_table(
        "releases",
        sa.Column("seq", SERIAL, autoincrement=True, nullable=False),
        *text("id", "target", "run_id", "plan_digest", "commit"),
        sa.Column("pull", NUMBER, nullable=False),
        sa.Column("actor", sa.JSON(), nullable=False),
        sa.Column("serial", NUMBER, nullable=False),
        sa.Column("created_at", TIME, nullable=False),
        *text("repository"),
        sa.PrimaryKeyConstraint("seq", name="pk_releases"),
        sa.UniqueConstraint("id", name="uq_releases_id"),
    )
    op.create_index("ix_releases_target_seq", "releases", ["target", "seq"])


def _locks() -> None:
    op.create_table(
        "locks",
        *text("target"),
        sa.Column("actor", sa.JSON(), nullable=False),
        sa.Column("created_at", TIME, nullable=False),
        sa.Column("pull", NUMBER, nullable=False),
        *text("reason", "url"),
        sa.Column("expires_at", TIME, nullable=True),
        *text("repository"),
        sa.PrimaryKeyConstraint("target", name="pk_locks"),
    )
    op.create_index("ix_locks_repository_pull", "locks", ["repository", "pull"])
    op.create_table(
        "waiters",
        *text("target"),
        sa.Column("pull", NUMBER, autoincrement=False, nullable=False),
        sa.Column("actor", sa.JSON(), nullable=False),
        sa.Column("since", TIME, nullable=False),
        *text("repository"),
        sa.PrimaryKeyConstraint("target", "pull", name="pk_waiters"),
    )
    op.create_index("ix_waiters_repository_pull", "waiters", ["repository", "pull"])


def _surfaces() -> None:
    op.create_table(
        "surfaces",
        *text("id", "kind", "subject", "repository"),
        sa.Column("pull", NUMBER, nullable=False),
        sa.Column("wanted", sa.JSON(), nullable=False),
        sa.Column("external", sa.JSON(), nullable=False),
        *text("digest"),
        sa.Column("tried", sa.Boolean(), nullable=False),
        sa.Column("attempts", NUMBER, nullable=False),
        sa.Column("due_at", TIME, nullable=True),
        sa.Column("urgent", sa.Boolean(), nullable=False),
        *text("error"),
        sa.Column("claimed_until", TIME, nullable=True),
        sa.Column("again", sa.Boolean(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_surfaces"),
    )
    op.create_index("ix_surfaces_due_at", "surfaces", ["due_at"])
    op.create_index("ix_surfaces_repository_pull", "surfaces", ["repository", "pull"])
    op.create_table(
        "identities",
        *text("slack", "login"),
        sa.Column("linked_at", TIME, nullable=False),
        *text("how"),
        sa.PrimaryKeyConstraint("slack", name="pk_identities"),
    )
    op.create_table(
        "codes",
        *text("digest", "side", "who"),
        sa.Column("expires_at", TIME, nullable=False),
        sa.PrimaryKeyConstraint("digest", name="pk_codes"),
    )
    op.create_table(
        "channels", *text("channel", "repository"), sa.PrimaryKeyConstraint("channel", name="pk_channels")
    )


def _states() -> None:
    op.create_table(
        "states",
        sa.Column("seq", SERIAL, autoincrement=True, nullable=False),
        *text("id", "target_key"),
        sa.Column("serial", NUMBER, nullable=False),
        *text("lineage", "sha256"),
        sa.Column("size", NUMBER, nullable=False),
        sa.Column("resources", NUMBER, nullable=False),
        *text("run_id", "commit", "actor"),
        sa.Column("created_at", TIME, nullable=False),
        sa.PrimaryKeyConstraint("seq", name="pk_states"),
        sa.UniqueConstraint("id", name="uq_states_id"),
    )
    op.create_index("ix_states_target_key_seq", "states", ["target_key", "seq"])
    op.create_table(
        "state_files",
        *text("state_id"),
        sa.Column("file", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("state_id", name="pk_state_files"),
        sa.ForeignKeyConstraint(["state_id"], ["states.id"], name="fk_state_files_state_id_states"),
    )
    op.create_table(
        "state_heads",
        *text("target_key"),
        sa.Column("state_id", TEXT, nullable=True),
        sa.PrimaryKeyConstraint("target_key", name="pk_state_heads"),
        sa.ForeignKeyConstraint(["state_id"], ["states.id"], name="fk_state_heads_state_id_states"),
    )
    op.create_table(
        "state_locks",
        *text("target_key", "id", "operation", "info", "who", "version", "created", "path", "holder"),
        sa.PrimaryKeyConstraint("target_key", name="pk_state_locks"),
    )
    op.create_table(
        "credentials",
        *text("username", "digest", "target_key", "run_id"),
        sa.Column("write", sa.Boolean(), nullable=False),
        sa.Column("expires_at", TIME, nullable=False),
        *text("commit", "actor"),
        sa.Column("lockless", sa.Boolean(), nullable=False),
        sa.PrimaryKeyConstraint("username", name="pk_credentials"),
    )
    op.create_index("ix_credentials_run_id", "credentials", ["run_id"])


def _inbox() -> None:
    op.create_table(
        "deliveries",
        sa.Column("seq", SERIAL, autoincrement=True, nullable=False),
        *text("id", "platform", "event", "conversation"),
        sa.Column("received_at", TIME, nullable=False),
        sa.Column("content", sa.LargeBinary(), nullable=False),
        sa.Column("dispatched_at", TIME, nullable=True),
        sa.PrimaryKeyConstraint("seq", name="pk_deliveries"),
        sa.UniqueConstraint("id", name="uq_deliveries_id"),
    )
    op.create_index("ix_deliveries_dispatched_at_seq", "deliveries", ["dispatched_at", "seq"])
