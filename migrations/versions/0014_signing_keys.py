"""Add the keys that sign runs' tokens for clouds. The version before ignores the table."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0014"
down_revision = "0013"


def upgrade() -> None:
    op.create_table(
        "signing_keys",
        sa.Column("number", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("public", sa.JSON(), nullable=False),
        *(
            sa.Column(name, sa.DateTime(timezone=True), nullable=False)
            for name in ("created_at", "signs_from")
        ),
        sa.Column("tokens_until", sa.DateTime(timezone=True), nullable=True),
        sa.Column("private", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("number", name="pk_signing_keys"),
    )
