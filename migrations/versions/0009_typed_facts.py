"""Add what a queued run waits for, and which state a lock restores, as columns instead of texts.

The version before ignores them: new columns have defaults.
"""

from __future__ import annotations

import re

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0008"

RESTORES = re.compile(
    r"state-only revert to serial (\d+)(, which is being written|: to unlock it accepts its plan)"
)


def upgrade() -> None:
    op.add_column("runs", sa.Column("waits_for", sa.Text(), nullable=False, server_default=""))
    op.add_column("locks", sa.Column("restores", sa.BigInteger(), nullable=False, server_default="0"))
    op.add_column("locks", sa.Column("restored", sa.Boolean(), nullable=False, server_default=sa.false()))
    _fill_runs(op.get_bind())
    _fill_locks(op.get_bind())


def _fill_runs(connection: sa.Connection) -> None:
    runs = sa.table(
        "runs", *(sa.column(name) for name in ("id", "phase", "waits_for")), sa.column("progress", sa.JSON)
    )
    queued = sa.select(runs.c.id, runs.c.progress).where(runs.c.phase == "queued")
    for run in connection.execute(queued).all():
        if behind := (run.progress or {}).get("behind"):
            values = {"waits_for": behind, "progress": {}}
            connection.execute(runs.update().where(runs.c.id == run.id).values(values))


def _fill_locks(connection: sa.Connection) -> None:
    locks = sa.table("locks", *(sa.column(name) for name in ("target", "reason", "restores", "restored")))
    for lock in connection.execute(sa.select(locks.c.target, locks.c.reason)).all():
        if found := RESTORES.fullmatch(lock.reason):
            values = {"restores": int(found[1]), "restored": found[2].startswith(":")}
            connection.execute(locks.update().where(locks.c.target == lock.target).values(values))
