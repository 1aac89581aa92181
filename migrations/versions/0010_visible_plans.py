"""Record when plans and commits became visible, by the platforms' clocks, and which commits a hold keeps out besides.

Plans from before count as published when they were made, as they did then. The version before ignores all of it.
"""

from __future__ import annotations

from datetime import UTC, datetime

import sqlalchemy as sa
from alembic import op

revision = "0010"
down_revision = "0009"


def upgrade() -> None:
    op.add_column("plans", sa.Column("published_at", sa.DateTime(timezone=True), nullable=True))
    op.add_column("plans", sa.Column("posted_at", sa.DateTime(timezone=True), nullable=True))
    op.add_column("holds", sa.Column("earlier", sa.JSON(), nullable=False, server_default="[]"))
    op.create_table(
        "heads",
        sa.Column("repository", sa.Text(), nullable=False),
        sa.Column("number", sa.BigInteger(), nullable=False),
        sa.Column("head_sha", sa.Text(), nullable=False),
        sa.Column("seen_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("repository", "number", "head_sha", name="pk_heads"),
    )
    op.execute("UPDATE plans SET published_at = created_at, posted_at = created_at")
    _fill_heads(op.get_bind())


def _fill_heads(connection: sa.Connection) -> None:
    """What pull requests are at now counts as seen now: what was written before and waits is asked for again."""
    names = ("repository", "number", "head_sha")
    pulls = sa.table("pulls", *(sa.column(name) for name in names))
    heads = sa.table(
        "heads", *(sa.column(name) for name in names), sa.column("seen_at", sa.DateTime(timezone=True))
    )
    now = datetime.now(UTC)
    rows = [{**row, "seen_at": now} for row in connection.execute(sa.select(pulls)).mappings()]
    if rows:
        connection.execute(heads.insert(), rows)
