"""Add when pull requests were closed, and whose login a link code is bound to.

The version before ignores both: new columns are nullable or have a default.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0016"
down_revision = "0015"


def upgrade() -> None:
    op.add_column("pulls", sa.Column("closed_at", sa.DateTime(timezone=True), nullable=True))
    for name in ("login", "asked"):
        op.add_column("codes", sa.Column(name, sa.Text(), nullable=False, server_default=""))
