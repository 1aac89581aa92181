"""Add the runs that a queued run comes after, and the outputs of other stacks that a plan was made with.

The version before ignores both: the new columns have a default.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0020"
down_revision = "0019"


def upgrade() -> None:
    op.add_column("runs", sa.Column("after", sa.JSON(), nullable=False, server_default="[]"))
    op.add_column("plans", sa.Column("inputs", sa.JSON(), nullable=False, server_default="{}"))
