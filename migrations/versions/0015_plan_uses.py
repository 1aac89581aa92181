"""Add requests for plans, which are limited. The version before does not count them."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0015"
down_revision = "0014"


def upgrade() -> None:
    op.create_table(
        "plan_uses",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("repository", sa.Text(), nullable=False),
        sa.Column("pull", sa.BigInteger(), nullable=False),
        sa.Column("login", sa.Text(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_plan_uses"),
    )
    op.create_index("ix_plan_uses_login_at", "plan_uses", ["login", "at"])
    op.create_index("ix_plan_uses_repository_pull_at", "plan_uses", ["repository", "pull", "at"])
    op.create_index("ix_plan_uses_at", "plan_uses", ["at"])
