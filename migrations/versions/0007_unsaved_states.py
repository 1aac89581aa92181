"""Add states that Terraform could not upload. The version before ignores the table."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"

SERIAL = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
UTC = sa.DateTime(timezone=True)


def upgrade() -> None:
    texts = ("id", "target", "repository", "run_id", "commit", "login", "lineage", "sha256", "base_sha256")
    op.create_table(
        "unsaved",
        sa.Column("seq", SERIAL, autoincrement=True, nullable=False),
        *(sa.Column(name, sa.Text(), nullable=False) for name in (*texts, "ending")),
        *(
            sa.Column(name, sa.BigInteger(), nullable=False)
            for name in ("pull", "serial", "size", "plan_serial")
        ),
        sa.Column("base_known", sa.Boolean(), nullable=False),
        sa.Column("created_at", UTC, nullable=False),
        sa.Column("ended_at", UTC, nullable=True),
        sa.Column("backend", sa.JSON(), nullable=False),
        sa.Column("file", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("seq", name="pk_unsaved"),
        sa.UniqueConstraint("id", name="uq_unsaved_id"),
    )
    op.create_index("ix_unsaved_target_ended_at", "unsaved", ["target", "ended_at"])
