"""Add the instances of pull requests, and the labels that decide which pull requests have one.

The version before ignores both: the new column has a default.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0017"
down_revision = "0016"


def upgrade() -> None:
    texts = (
        *("wanted", "state", "commit", "policy_commit", "warned", "why", "note", "settled"),
        *("repository", "environment"),
    )
    times = ("created_at", "wanted_at", "used_at")
    op.create_table(
        "instances",
        sa.Column("target", sa.Text(), nullable=False),
        sa.Column("pull", sa.BigInteger(), nullable=False),
        sa.Column("passing", sa.Boolean(), nullable=False),
        sa.Column("attempts", sa.BigInteger(), nullable=False),
        sa.Column("replans", sa.BigInteger(), nullable=False),
        *(sa.Column(name, sa.Text(), nullable=False) for name in texts),
        *(sa.Column(name, sa.DateTime(timezone=True), nullable=False) for name in times),
        *(sa.Column(name, sa.DateTime(timezone=True)) for name in ("expires_at", "retry_at", "ended_at")),
        sa.PrimaryKeyConstraint("target", name="pk_instances"),
    )
    op.create_index("ix_instances_repository_pull", "instances", ["repository", "pull"])
    op.create_index("ix_instances_state", "instances", ["state"])
    op.add_column("pulls", sa.Column("labels", sa.JSON(), nullable=False, server_default="[]"))
