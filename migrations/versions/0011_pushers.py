"""Add who pushed to a pull request, and who pushed a commit. The version before does not use these tables."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0011"
down_revision = "0010"


def upgrade() -> None:
    op.create_table(
        "pushers",
        sa.Column("repository", sa.Text(), nullable=False),
        sa.Column("number", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("login", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("repository", "number", "login", name=op.f("pk_pushers")),
    )
    op.create_table(
        "pushed_commits",
        sa.Column("repository", sa.Text(), nullable=False),
        sa.Column("commit", sa.Text(), nullable=False),
        sa.Column("login", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("repository", "commit", "login", name=op.f("pk_pushed_commits")),
    )
