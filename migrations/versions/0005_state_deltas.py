"""Add state versions stored as deltas from the version before, and what a version belongs to.

Full copies stay where they are, and the version before still reads them. For a delta it reports that there is no copy.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"


def upgrade() -> None:
    op.add_column("states", sa.Column("outputs", sa.BigInteger(), nullable=False, server_default="0"))
    for name in ("release", "reverts"):
        op.add_column("states", sa.Column(name, sa.Text(), nullable=False, server_default=""))
    op.create_table(
        "state_deltas",
        sa.Column("state_id", sa.Text(), nullable=False),
        sa.Column("keyframe", sa.Text(), nullable=False),
        sa.Column("depth", sa.Integer(), nullable=False),
        sa.Column("file", sa.LargeBinary(), nullable=False),
        sa.ForeignKeyConstraint(["state_id"], ["states.id"], name="fk_state_deltas_state_id_states"),
        sa.ForeignKeyConstraint(
            ["keyframe"], ["state_files.state_id"], name="fk_state_deltas_keyframe_state_files"
        ),
        sa.PrimaryKeyConstraint("state_id", name="pk_state_deltas"),
        sa.UniqueConstraint("keyframe", "depth", name="uq_state_deltas_keyframe_depth"),
    )
