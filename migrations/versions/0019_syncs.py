"""Add syncs: how targets compare with the default branch after a merge, and which runs, plans and approvals are theirs.

The version before ignores both: new columns have a default.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0019"
down_revision = "0018"

SERIAL = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    for table in ("runs", "plans", "approvals"):
        op.add_column(table, sa.Column("sync", sa.Text(), nullable=False, server_default=""))
    texts = ("id", "target", "commit", "mode", "status", "message", "digest", "hint", "seen", "repository")
    op.create_table(
        "syncs",
        sa.Column("seq", SERIAL, autoincrement=True, nullable=False),
        *(sa.Column(name, sa.Text(), nullable=False) for name in texts),
        sa.Column("pulls", sa.JSON(), nullable=False),
        sa.Column("news", sa.Boolean(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("seq", name="pk_syncs"),
        sa.UniqueConstraint("id", name="uq_syncs_id"),
    )
    op.create_index("ix_syncs_target_seq", "syncs", ["target", "seq"])
    op.create_index("ix_syncs_repository_status", "syncs", ["repository", "status"])
    op.create_index("ix_syncs_status", "syncs", ["status"])
