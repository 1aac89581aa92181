"""Add a table for how runs failed: the phase, and Terraform's errors with file and line. Find audit entries by pull request.

The version before ignores it. It has no foreign key to runs, since that version deletes drift checks and would not delete
these rows first.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0018"
down_revision = "0017"


def upgrade() -> None:
    op.create_table(
        "failures",
        sa.Column("run_id", sa.Text(), nullable=False),
        sa.Column("recorded_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("content", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("run_id", name="pk_failures"),
    )
    op.create_index("ix_failures_recorded_at", "failures", ["recorded_at"])
    op.create_index("ix_audit_repository_pull", "audit", ["repository", "pull"])
