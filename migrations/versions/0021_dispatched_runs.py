"""Add which workflow run of GitHub Actions carries a run out, and when it was asked to.

The version before ignores both: the new columns have a default.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0021"
down_revision = "0020"


def upgrade() -> None:
    op.add_column("runs", sa.Column("dispatched_at", sa.DateTime(timezone=True), nullable=True))
    op.add_column("runs", sa.Column("workflow_run", sa.BigInteger(), nullable=False, server_default="0"))
