"""Add the pages with all that a plan changes.

The version before does not read them; plans that it makes have none.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0012"
down_revision = "0011"


def upgrade() -> None:
    op.create_table(
        "plan_pages",
        sa.Column("plan_id", sa.Text(), nullable=False),
        sa.Column("number", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("content", sa.LargeBinary(), nullable=False),
        sa.ForeignKeyConstraint(["plan_id"], ["plans.id"], name="fk_plan_pages_plan_id_plans"),
        sa.PrimaryKeyConstraint("plan_id", "number", name="pk_plan_pages"),
    )
