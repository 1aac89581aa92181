"""Durable work on DBOS: three queues, workflows that are entered again after a crash, and nothing that waits for people.

A workflow has no steps: it is a function of rows, safe to enter again. What must not happen twice (an apply) is
guarded by its own journal row, committed before the action.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import sqlalchemy as sa
import structlog
from dbos import DBOS, DBOSClient, DBOSPortableJSONSerializer

from bot.domain.ports.forge import ForgeError
from bot.domain.ports.inbox import Delivery
from bot.domain.ports.store import Tables
from bot.domain.run import Run
from bot.errors import TransientError, UserError, reference
from bot.runs.wake import Bell, hang

log = structlog.get_logger()

INBOX, PLANS, APPLIES = "inbox", "plans", "applies"
VERSION = "1"
"""DBOS's application version: a constant, since a hash of the code would leave runs of the version before pending."""
POLL = 1.0
"""Seconds between polls while idle; a ring within the process ends the wait at once."""
PATIENCE = 3600.0
"""Seconds that something outside may be away before a piece of work gives up."""
GRACE = 15
"""Seconds that work under way gets when the process is told to stop: less than platforms wait before they kill (30)."""
MOST = 60.0
"""Seconds of one wait, whatever a platform asks for: the next try asks again."""
SETTLED = (0.02, 0.15)
"""Seconds after which DBOS has written down that a piece of work ended, and counts its place as free: mostly, and on a
busy machine."""
AHEAD = 2
"""Plans that are prepared while all slots have a Terraform at work, so that no slot waits for git or the database; two,
since Terraforms that began together end together. Only by a worker that is alone: of several, another one may have a
slot free at once."""
LISTENERS = 16
"""Deliveries worked through at once: they mostly wait for others, and one repository that is away stops nobody else."""
ENDED = ("SUCCESS", "ERROR", "CANCELLED", "MAX_RECOVERY_ATTEMPTS_EXCEEDED")
"""DBOS's words for work that ended: all but PENDING, ENQUEUED and DELAYED."""
AWAY = (TransientError, ForgeError, sa.exc.OperationalError, sa.exc.InterfaceError)


@dataclass(frozen=True)
class Handlers:
    """What the queues carry out, by id. Where that failed for a reason of ours, `broken` ends the run, and `lost` tells
    whoever a delivery is from: (id, error, reference)."""

    delivery: Callable[[str], None]
    plan: Callable[[str], None]
    apply: Callable[[str], None]
    drift: Callable[[str], None]
    broken: Callable[[str, Exception, str], None]
    lost: Callable[[str, Exception, str], None]


def url_of(engine: sa.Engine) -> str:
    """The database's address, password and all: DBOS keeps connections of its own."""
    return engine.url.render_as_string(hide_password=False)


def migrate(engine: sa.Engine) -> None:
    """Make or bring up DBOS's own tables, beside ours in the same database."""
    logging.getLogger("dbos").setLevel(logging.WARNING)
    DBOS.migrate(url_of(engine))


class Durable:
    """Fulfils the `Work` port. `start` takes the queues up; without it (a web process) nothing is carried out."""

    def __init__(self, engine: sa.Engine, worker: str, slots: int) -> None:
        self._engine = engine
        self._worker = worker
        self._slots = slots
        self._bell = Bell(INBOX)
        self._client: DBOSClient | None = None
        self._launched = False
        self._at_work = self._ahead = 0
        self._count = threading.Lock()
        self._stopping = threading.Event()

    def start(self, handlers: Handlers) -> None:
        """Register the workflows, launch DBOS under this worker's name, and take up what it left at its last end."""
        logging.getLogger("dbos").setLevel(logging.WARNING)
        DBOS(
            config={
                "name": "towpath",
                "system_database_url": url_of(self._engine),
                "executor_id": self._worker,
                "application_version": VERSION,
                "enable_otlp": False,
                "serializer": DBOSPortableJSONSerializer(),
                "use_listen_notify": False,
                "log_level": "WARNING",
                "notification_listener_polling_interval_sec": 2.0,  # a stop waits for it
                "scheduler_polling_interval_sec": 600.0,
            }
        )
        for name, queue, work, broken in (
            ("handle", INBOX, handlers.delivery, handlers.lost),
            ("plan", PLANS, handlers.plan, handlers.broken),
            ("apply", APPLIES, handlers.apply, handlers.broken),
            ("drift", PLANS, handlers.drift, handlers.broken),
        ):
            DBOS.workflow(name=name, max_recovery_attempts=None)(self._guarded(queue, work, broken))
        hang(self._bell)
        DBOS.launch()
        for queue, most in ((INBOX, LISTENERS), (PLANS, self._slots), (APPLIES, self._slots)):
            self._register(queue, most)
        self._launched = True
        self.connect()
        self._bell.ring()

    def _register(self, queue: str, most: int) -> None:
        """At most `most` pieces of it at once in a worker. DBOS keeps this as a row that all workers read."""
        DBOS.register_queue(
            queue,
            partition_concurrency=1,
            worker_concurrency=most,
            polling_interval_sec=POLL,
            on_conflict="always_update",
        )

    def share(self, workers: int) -> None:
        """Told of how many workers there are, this one among them: see AHEAD."""
        ahead = AHEAD if workers == 1 else 0
        if self._launched and ahead != self._ahead:
            self._ahead = ahead
            self._register(PLANS, self._slots + ahead)

    def connect(self) -> None:
        """Be able to enqueue, also in a process that carries nothing out (the clock)."""
        if self._client is None:
            self._client = DBOSClient(
                system_database_url=url_of(self._engine),
                serializer=DBOSPortableJSONSerializer(),
                application_name="towpath",
            )

    def stop(self) -> bool:
        """Take nothing up any more, and let what runs end for some seconds; False where some of it goes on."""
        self._stopping.set()
        self._bell.ring()
        if self._launched:
            DBOS.destroy(destroy_registry=True, workflow_completion_timeout_sec=GRACE)
        if self._client is not None:
            self._client.destroy()
        return self._at_work == 0

    def enqueue(self, run: Run, tables: Tables) -> None:
        queue, partition = {
            "plan": (PLANS, f"{run.target.key}#{run.pull}"),
            "drift": (PLANS, f"{run.target.key}#drift"),
            "apply": (APPLIES, run.target.key),
        }[run.kind]
        self._put(tables.connection, run.kind, queue, run.id, partition)

    def enqueue_deliveries(self, connection: sa.Connection, deliveries: Sequence[Delivery]) -> None:
        """Under their own ids: a second time changes nothing."""
        for delivery in deliveries:
            self._put(connection, "handle", INBOX, delivery.id, delivery.conversation)

    def wake(self, *queues: str) -> None:
        """After the commit: these queues look now; without a name, those of runs."""
        self._bell.ring(*queues or (PLANS, APPLIES))

    def forget(self, before: datetime, limit: int) -> int:
        """Delete `limit` pieces at most of DBOS's record of work that ended before that time; returns how many."""
        client = self._running()
        old = client.list_workflows(
            status=list(ENDED),
            completed_before=before.isoformat(),
            limit=limit,
            load_input=False,
            load_output=False,
        )
        client.delete_workflows([workflow.workflow_id for workflow in old])
        return len(old)

    def adopt(self, worker: str) -> int:
        """Put a dead worker's unfinished work back on its queues; returns how much."""
        client = self._running()
        left = client.list_workflows(status="PENDING", executor_id=worker)
        for workflow in left:
            client.resume_workflow(workflow.workflow_id, queue_name=workflow.queue_name)
        self.wake(INBOX, PLANS, APPLIES)
        return len(left)

    def _put(self, connection: Any, name: str, queue: str, key: str, partition: str) -> None:
        self._running().enqueue_in_transaction(
            connection,
            {
                "workflow_name": name,
                "queue_name": queue,
                "workflow_id": key,
                "queue_partition_key": partition,
                "app_version": VERSION,
            },
            key,
        )

    def _running(self) -> DBOSClient:
        if self._client is None:
            raise RuntimeError("durable work has not been started in this process")
        return self._client

    def _guarded(
        self, queue: str, work: Callable[[str], None], broken: Callable[[str, Exception, str], None]
    ) -> Callable[[str], None]:
        """Wait and try again while something outside is away; hand a fault over with a reference; never raise, but to
        leave the work pending when this process stops."""

        def guarded(key: str) -> None:
            with self._counted(queue):
                patient(key)

        def patient(key: str) -> None:
            began, tries = time.monotonic(), 0
            while True:
                try:
                    work(key)
                    return
                except AWAY as error:
                    wait = getattr(error, "retry_after", 0.0)
                    tries += 1
                    if wait is None or time.monotonic() - began > PATIENCE:
                        self._give_up(broken, key, error)
                        return
                    self._pause(key, error, max(min(wait, MOST), min(0.5 * 2**tries, 30.0)))
                except Exception as error:  # the last line of defence: a run must end, and say so
                    self._give_up(broken, key, error)
                    return

        return guarded

    @contextmanager
    def _counted(self, queue: str) -> Iterator[None]:
        with self._count:
            self._at_work += 1
        try:
            yield
        finally:
            with self._count:
                self._at_work -= 1
            # a slot, and the place in a partition, are free then
            for seconds in SETTLED:
                soon = threading.Timer(seconds, self._bell.ring, [queue])
                soon.daemon = True
                soon.start()

    def _give_up(self, broken: Callable[[str, Exception, str], None], key: str, error: Exception) -> None:
        """End the run, however long that takes: what was away may be the very database that has to be told."""
        ticket = "" if isinstance(error, UserError) else reference()
        if ticket:
            log.error("work failed", key=key, reference=ticket, exc_info=error)
        while True:
            try:
                broken(key, error, ticket)
                return
            except AWAY as away:
                self._pause(key, away, 5.0)

    def _pause(self, key: str, error: Exception, seconds: float) -> None:
        """Raises Parked where the process stops meanwhile."""
        log.warning(
            "waiting for something outside", key=key, error=str(error)[:300], seconds=round(seconds, 1)
        )
        if self._stopping.wait(seconds):
            raise Parked from error


class Parked(BaseException):
    """Leaves a workflow pending for the next start: DBOS records every Exception as its end."""
