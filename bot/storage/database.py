"""The database: transactions, and the tables in them."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext

from sqlalchemy import Connection, Engine, select

from bot.domain.ports import identity as identity_ports
from bot.domain.ports import records as record_ports
from bot.domain.ports import state as state_ports
from bot.domain.ports import store as ports
from bot.domain.ports import why as why_ports
from bot.domain.ports.surfaces import Surfaces
from bot.errors import UserError
from bot.storage.approvals import ApprovalRows
from bot.storage.artifacts import ArtifactRows
from bot.storage.audit import AuditRows
from bot.storage.credentials import CredentialRows
from bot.storage.drifts import BaselineRows, DriftRows
from bot.storage.engines import POOL, READING, SPARE, open_engine
from bot.storage.exports import ExportRows
from bot.storage.failures import translated_errors
from bot.storage.follow_ups import FollowUpRows
from bot.storage.holds import HoldRows
from bot.storage.identities import IdentityRows
from bot.storage.instances import InstanceRows
from bot.storage.locks import LockRows
from bot.storage.plan_uses import PlanUseRows
from bot.storage.plans import PlanRows
from bot.storage.pulls import PullRows
from bot.storage.pushers import PusherRows
from bot.storage.releases import ReleaseRows
from bot.storage.rows import Rows, context
from bot.storage.runs import RunRows
from bot.storage.signing_keys import SigningKeyRows
from bot.storage.states import StateRows
from bot.storage.surfaces import SurfaceRows
from bot.storage.syncs import SyncRows
from bot.storage.tables import keys
from bot.storage.unsaved import UnsavedRows
from bot.storage.why import FailureRows
from bot.storage.workers import WorkerRows
from bot.vault import SealError, Vault


class Tables:
    """Implements bot.domain.ports.store.Tables: everything within one transaction."""

    def __init__(self, connection: Connection, vault: Vault) -> None:
        self.connection = connection
        self.pulls: ports.Pulls = PullRows(connection, vault)
        self.pushers: record_ports.Pushers = PusherRows(connection, vault)
        self.runs: ports.Runs = RunRows(connection, vault)
        self.failures: why_ports.Failures = FailureRows(connection, vault)
        self.plans: ports.Plans = PlanRows(connection, vault)
        self.locks: ports.Locks = LockRows(connection, vault)
        self.releases: ports.Releases = ReleaseRows(connection, vault)
        self.wakes: set[str] = set()
        self.surfaces: Surfaces = SurfaceRows(connection, vault, self.wakes)
        self.identities: ports.Identities = IdentityRows(connection, vault)
        self.states: state_ports.StateStore = StateRows(connection, vault)
        self.credentials: state_ports.CredentialStore = CredentialRows(connection, vault)
        self.unsaved: state_ports.UnsavedStates = UnsavedRows(connection, vault)
        self.workers: ports.Workers = WorkerRows(connection, vault)
        self.approvals: record_ports.Approvals = ApprovalRows(connection, vault)
        self.artifacts: record_ports.Artifacts = ArtifactRows(connection, vault)
        self.follow_ups: record_ports.FollowUps = FollowUpRows(connection, vault)
        self.holds: record_ports.Holds = HoldRows(connection, vault)
        self.instances: record_ports.Instances = InstanceRows(connection, vault)
        self.drifts: record_ports.Drifts = DriftRows(connection, vault)
        self.exports: record_ports.Exports = ExportRows(connection, vault)
        self.syncs: record_ports.Syncs = SyncRows(connection, vault)
        self.signing_keys: identity_ports.SigningKeys = SigningKeyRows(connection, vault)
        self.baselines: record_ports.Baselines = BaselineRows(connection, vault)
        self.plan_uses: record_ports.PlanUses = PlanUseRows(connection, vault)
        self.audit: record_ports.Audit = AuditRows(connection, vault)
        self.at_end: list[Callable[[], object]] = []


class Database:
    """Implements bot.domain.ports.store.Store on SQLite or Postgres. Create one per process; it is thread-safe.

    url, pool, spare: see bot.storage.engines.open_engine, also for what it raises. Transactions raise Unavailable (a
    TransientError) if the database does not answer, and its subclass DiskFull.
    """

    def __init__(self, url: str, vault: Vault, *, pool: int = POOL, spare: int = SPARE) -> None:
        self.engine: Engine = open_engine(url, pool=pool, spare=spare)
        self.vault = vault
        self._listeners: dict[str, list[Callable[[], object]]] = {}
        # While SQLite waits for another transaction it polls every 1 to 100 ms; threads of this process wait here.
        self._turn: AbstractContextManager[object] = (
            threading.RLock() if self.dialect == "sqlite" else nullcontext()
        )

    @property
    def dialect(self) -> str:
        """`sqlite` or `postgresql`."""
        return self.engine.dialect.name

    @contextmanager
    def begin(self) -> Iterator[Tables]:
        """Start a writing transaction: committed at the end, rolled back on an exception.

        Keep it short: SQLite has only one at a time.
        """
        with translated_errors(), self._turn, self.engine.begin() as connection:
            tables = Tables(connection, self.vault)
            yield tables
            for action in tables.at_end:
                action()
        for topic in tables.wakes:
            for wake in self._listeners.get(topic, ()):
                wake()

    def listen(self, topic: str, wake: Callable[[], object]) -> None:
        """See the port. `wake` runs in the thread that committed."""
        self._listeners.setdefault(topic, []).append(wake)

    @contextmanager
    def read(self) -> Iterator[Tables]:
        """Start a read-only transaction: a snapshot as of its first query. Writing fails."""
        with translated_errors(), self.engine.connect() as plain:
            if self.dialect == "sqlite":
                connection = plain.execution_options(**{READING: True})
                connection.exec_driver_sql("PRAGMA query_only = ON")
            else:
                connection = plain.execution_options(
                    isolation_level="REPEATABLE READ", postgresql_readonly=True
                )
            try:
                yield Tables(connection, self.vault)
            finally:
                if self.dialect == "sqlite":
                    connection.exec_driver_sql("PRAGMA query_only = OFF")

    def check_key(self) -> None:
        """Detect a lost or changed secret key now, not when the first plan is decrypted. Call it at each start.

        Each key that was ever used has a row that only it decrypts. Raises UserError if one of the keys is missing.
        """
        with self.begin() as tables:
            rows = Rows(tables.connection, self.vault)
            proof = self.vault.seal(b"towpath", context(keys, self.vault.key_id))
            rows.upsert(keys, {"id": self.vault.key_id, "proof": proof})
            for row in tables.connection.execute(select(keys)):
                try:
                    self.vault.open(row.proof, context(keys, row.id))
                except SealError as error:
                    raise UserError(
                        f"This database was encrypted with the secret key {row.id}, which is not configured.",
                        next_step="Add that key to TOWPATH_SECRET_KEY (after the new key and a comma, if there is "
                        "one), or put its `secret.key` back into the data directory.",
                    ) from error

    def close(self) -> None:
        """Close all connections."""
        self.engine.dispose()
