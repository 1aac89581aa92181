"""Add drift reports. The version before ignores the table."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"

SERIAL = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    texts = ("id", "target", "run_id", "commit", "release_id", "digest", "repository")
    op.create_table(
        "drifts",
        sa.Column("seq", SERIAL, autoincrement=True, nullable=False),
        *(sa.Column(name, sa.Text(), nullable=False) for name in texts),
        sa.Column("found_at", sa.DateTime(timezone=True), nullable=False),
        *(sa.Column(name, sa.BigInteger(), nullable=False) for name in ("outside", "pending")),
        sa.Column("summary", sa.JSON(), nullable=False),
        sa.PrimaryKeyConstraint("seq", name="pk_drifts"),
        sa.UniqueConstraint("id", name="uq_drifts_id"),
    )
    op.create_index("ix_drifts_target_seq", "drifts", ["target", "seq"])
