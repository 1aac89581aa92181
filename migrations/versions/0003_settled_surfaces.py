"""Add since when a surface is settled, so that old ones can be deleted.

The version before does not set it; rows without it are never deleted.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    op.add_column("surfaces", sa.Column("settled_at", sa.DateTime(timezone=True), nullable=True))
    op.execute("UPDATE surfaces SET settled_at = CURRENT_TIMESTAMP WHERE due_at IS NULL")
