"""Add exports of data, people's answers to them, and until when each schedule is dealt with.

The version before does not know the tables.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0022"
down_revision = "0021"

SERIAL = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    _exports()
    op.create_table(
        "export_decisions",
        sa.Column("seq", SERIAL, autoincrement=True, nullable=False),
        *(sa.Column(name, sa.Text(), nullable=False) for name in ("id", "export", "login", "answer")),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("seq", name="pk_export_decisions"),
        sa.UniqueConstraint("id", name="uq_export_decisions_id"),
    )
    op.create_index("ix_export_decisions_export", "export_decisions", ["export"])
    op.create_table(
        "export_schedules",
        *(sa.Column(name, sa.Text(), nullable=False) for name in ("repository", "environment", "schedule")),
        sa.Column("ticked_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("repository", "environment", name="pk_export_schedules"),
    )


def _exports() -> None:
    texts = (
        *("id", "kind", "repository", "environment", "source", "commit", "policy_digest", "phase"),
        *("message", "next_step", "reference", "worker", "cancel_by", "previous", "policy_text"),
    )
    times = ("expires_at", "due_at", "created_at", "started_at", "finished_at")
    op.create_table(
        "exports",
        sa.Column("seq", SERIAL, autoincrement=True, nullable=False),
        *(sa.Column(name, sa.Text(), nullable=False) for name in texts),
        sa.Column("outcome", sa.Text(), nullable=True),
        *(sa.Column(name, sa.JSON(), nullable=False) for name in ("actor", "origin", "progress")),
        *(sa.Column(name, sa.JSON(), nullable=False) for name in ("approved_by", "notes", "missed")),
        *(sa.Column(name, sa.JSON(), nullable=True) for name in ("preview", "manifest")),
        sa.Column("pull", sa.BigInteger(), nullable=False),
        sa.Column("approved", sa.Boolean(), nullable=False),
        *(sa.Column(name, sa.DateTime(timezone=True), nullable=True) for name in times),
        sa.PrimaryKeyConstraint("seq", name="pk_exports"),
        sa.UniqueConstraint("id", name="uq_exports_id"),
    )
    op.create_index("ix_exports_repository_environment_seq", "exports", ["repository", "environment", "seq"])
    op.create_index("ix_exports_phase", "exports", ["phase"])
