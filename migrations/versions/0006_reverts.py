"""Add reverts and holds. The version before ignores them: new columns have defaults."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"


def upgrade() -> None:
    for table in ("runs", "plans", "releases", "approvals"):
        op.add_column(table, sa.Column("reverts", sa.Text(), nullable=False, server_default=""))
    op.add_column("plans", sa.Column("additions", sa.JSON(), nullable=False, server_default="{}"))
    op.add_column("plans", sa.Column("losses", sa.JSON(), nullable=False, server_default="[]"))
    op.create_table(
        "holds",
        sa.Column("target", sa.Text(), nullable=False),
        sa.Column("repository", sa.Text(), nullable=False),
        *(
            sa.Column(name, sa.Text(), nullable=False)
            for name in ("release_id", "commit", "reverted", "run_id")
        ),
        sa.Column("pull", sa.BigInteger(), nullable=False),
        sa.Column("actor", sa.JSON(), nullable=False),
        sa.Column("since", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("target", name="pk_holds"),
    )
    op.create_index("ix_holds_repository", "holds", ["repository"])
