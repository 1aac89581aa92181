"""Add promotion and approvals: verification of releases, approvals, artifacts, follow-ups and the audit record.

The version before ignores all of it: new columns have defaults.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"

SERIAL = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
UTC = sa.DateTime(timezone=True)


def text(name: str) -> sa.Column[str]:
    return sa.Column(name, sa.Text(), nullable=False)


def number(name: str) -> sa.Column[int]:
    return sa.Column(name, sa.BigInteger(), nullable=False)


def at(name: str, *, nullable: bool = False) -> sa.Column[object]:
    return sa.Column(name, UTC, nullable=nullable)


def plain(name: str) -> sa.Column[object]:
    return sa.Column(name, sa.JSON(), nullable=False)


def upgrade() -> None:
    _known_tables()
    _consent()
    _records()


def _known_tables() -> None:
    op.add_column("plans", sa.Column("configuration", sa.Text(), nullable=False, server_default=""))
    for name in ("approval", "forced"):
        op.add_column("runs", sa.Column(name, sa.Text(), nullable=False, server_default=""))
        op.add_column("releases", sa.Column(name, sa.Text(), nullable=False, server_default=""))
    for column in (
        sa.Column("configuration", sa.Text(), nullable=False, server_default=""),
        sa.Column("active", sa.Boolean(), nullable=False, server_default=sa.true()),
        sa.Column("verification", sa.Text(), nullable=False, server_default="none"),
        sa.Column("verified_at", UTC, nullable=True),
        sa.Column("checks", sa.JSON(), nullable=False, server_default="[]"),
        sa.Column("url", sa.Text(), nullable=False, server_default=""),
    ):
        op.add_column("releases", column)


def _consent() -> None:
    op.create_table(
        "approvals",
        sa.Column("seq", SERIAL, autoincrement=True, nullable=False),
        *map(text, ("id", "target", "repository", "run_id", "plan_digest", "commit", "status", "why")),
        *map(number, ("pull", "count", "destroys")),
        *map(plain, ("actor", "origin", "teams", "users", "owners", "excluded")),
        sa.Column("when_approved", sa.Boolean(), nullable=False),
        *map(at, ("created_at", "expires_at")),
        *(at(name, nullable=True) for name in ("ended_at", "ready_at")),
        sa.PrimaryKeyConstraint("seq", name="pk_approvals"),
        sa.UniqueConstraint("id", name="uq_approvals_id"),
    )
    op.create_index("ix_approvals_target_pull_seq", "approvals", ["target", "pull", "seq"])
    op.create_index("ix_approvals_repository_pull", "approvals", ["repository", "pull"])
    op.create_index("ix_approvals_status", "approvals", ["status"])
    op.create_table(
        "decisions",
        sa.Column("seq", SERIAL, autoincrement=True, nullable=False),
        *map(text, ("id", "approval_id", "login", "answer", "reason", "via", "role")),
        at("at"),
        plain("groups"),
        sa.PrimaryKeyConstraint("seq", name="pk_decisions"),
        sa.UniqueConstraint("id", name="uq_decisions_id"),
    )
    op.create_index("ix_decisions_approval_id_seq", "decisions", ["approval_id", "seq"])


def _records() -> None:
    op.create_table(
        "artifacts",
        *map(text, ("id", "target", "repository", "release_id", "name", "digest")),
        number("size"),
        at("created_at"),
        sa.Column("content", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_artifacts"),
        sa.UniqueConstraint("target", "name", name="uq_artifacts_target_name"),
    )
    op.create_index("ix_artifacts_repository", "artifacts", ["repository"])
    op.create_table(
        "tickets",
        *map(text, ("digest", "artifact_id", "login")),
        at("expires_at"),
        sa.PrimaryKeyConstraint("digest", name="pk_tickets"),
    )
    op.create_table(
        "follow_ups",
        sa.Column("seq", SERIAL, autoincrement=True, nullable=False),
        *map(text, ("id", "target", "repository", "run_id", "reason", "acknowledged_by")),
        number("pull"),
        *map(plain, ("actor", "skipped")),
        at("created_at"),
        at("acknowledged_at", nullable=True),
        sa.PrimaryKeyConstraint("seq", name="pk_follow_ups"),
        sa.UniqueConstraint("id", name="uq_follow_ups_id"),
    )
    op.create_index("ix_follow_ups_acknowledged_at", "follow_ups", ["acknowledged_at"])
    op.create_index("ix_follow_ups_repository", "follow_ups", ["repository"])
    op.create_table(
        "audit",
        sa.Column("number", sa.BigInteger(), autoincrement=False, nullable=False),
        *map(
            text,
            ("action", "login", "slack", "via", "repository", "target", "run_id", "previous", "digest"),
        ),
        number("pull"),
        at("at"),
        plain("facts"),
        sa.PrimaryKeyConstraint("number", name="pk_audit"),
    )
