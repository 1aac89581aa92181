"""Durable work on DBOS: three queues, and workflows that run again after a crash.

A workflow has no steps: it is a function of rows and safe to run again. What must not happen twice (an apply) is guarded
by its own journal row, committed before the action. No workflow waits for people.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime

import sqlalchemy as sa
import structlog
from dbos import DBOS, DBOSClient, DBOSPortableJSONSerializer
from tenacity import (
    RetryCallState,
    Retrying,
    retry_if_exception,
    retry_if_exception_type,
    stop_after_delay,
    wait_exponential,
    wait_fixed,
)

from bot.domain.exports import Export
from bot.domain.ports.forge import ForgeError
from bot.domain.ports.inbox import Delivery
from bot.domain.ports.store import Tables
from bot.domain.run import CHANGING, Run
from bot.errors import TransientError, UserError, reference
from bot.jobs.queue_waker import QueueWaker, install

log = structlog.get_logger()

INBOX, PLANS, APPLIES, EXPORTS = "inbox", "plans", "applies", "exports"
REPLANS = "replans:"
"""Prefix of the ids of replans; that of the apply follows, whose work has the id without it."""
_EXPORT = "export:"
"""Prefix of the ids of exports; the export's own follows, and `:approved` for what is left of it after its approval."""
VERSION = "1"
"""DBOS's application version: a constant, since a hash of the code would leave the previous version's runs pending."""
POLL = 1.0
"""Seconds between polls while idle; a wake-up within the process ends the wait."""
PATIENCE = 3600.0
"""Seconds that something outside may be unavailable before work gives up."""
GRACE = 15
"""Seconds that running work gets when the process is told to stop: less than the 30 s after which platforms kill it."""
MOST = 60.0
"""Longest single wait in seconds, whatever a platform asks for: the next attempt asks again."""
SETTLED = (0.02, 0.15)
"""Seconds until DBOS has recorded the end of a workflow and counts its slot as free: usually, and on a busy machine."""
AHEAD = 2
"""Plans that are prepared while Terraform runs in all slots, so that no slot waits for git or the database. Two, since
Terraform processes that started together end together. Only while a worker is alone: of several, another may have a
free slot."""
LISTENERS = 16
"""Deliveries processed at once: they mostly wait for others, and one unreachable repository must not stop the rest."""
ENDED = ("SUCCESS", "ERROR", "CANCELLED", "MAX_RECOVERY_ATTEMPTS_EXCEEDED")
"""DBOS's statuses of ended workflows: all but PENDING, ENQUEUED and DELAYED."""
UNAVAILABLE = (TransientError, ForgeError, sa.exc.OperationalError, sa.exc.InterfaceError)


@dataclass(frozen=True)
class Handlers:
    """The functions that carry out queued work, by id; `replans` by REPLANS and the apply's id.

    broken, unexported, lost: called with (id, error, reference) when work failed: they end a run and an export, and reply to
    whoever sent a delivery.
    """

    delivery: Callable[[str], None]
    plan: Callable[[str], None]
    apply: Callable[[str], None]
    destroy: Callable[[str], None]
    sleep: Callable[[str], None]
    drift: Callable[[str], None]
    sync: Callable[[str], None]
    export: Callable[[str], None]
    unexported: Callable[[str, Exception, str], None]
    replans: Callable[[str], None]
    broken: Callable[[str, Exception, str], None]
    lost: Callable[[str, Exception, str], None]


def url_of(engine: sa.Engine) -> str:
    """Return the database's URL with its password: DBOS opens connections of its own."""
    return engine.url.render_as_string(hide_password=False)


def migrate(engine: sa.Engine) -> None:
    """Create or migrate DBOS's own tables, in the same database as ours."""
    logging.getLogger("dbos").setLevel(logging.WARNING)
    DBOS.migrate(url_of(engine))


class Durable:
    """The `Work` port on DBOS. `start` begins to carry out queued work; a process that only enqueues calls `connect`."""

    def __init__(self, engine: sa.Engine, worker: str, slots: int) -> None:
        self._engine = engine
        self._worker = worker
        self._slots = slots
        self._waker = QueueWaker(INBOX)
        self._client: DBOSClient | None = None
        self._launched = False
        self._running = self._ahead = 0
        self._counting = threading.Lock()
        self._stopping = threading.Event()

    def start(self, handlers: Handlers) -> None:
        """Register the workflows, launch DBOS under this worker's name, and resume what it left when it last stopped."""
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
        for name, queue, work, give_up in (
            ("handle", INBOX, handlers.delivery, handlers.lost),
            ("plan", PLANS, handlers.plan, handlers.broken),
            ("apply", APPLIES, handlers.apply, handlers.broken),
            ("destroy", APPLIES, handlers.destroy, handlers.broken),
            ("sleep", APPLIES, handlers.sleep, handlers.broken),
            ("wake", APPLIES, handlers.sleep, handlers.broken),
            ("drift", PLANS, handlers.drift, handlers.broken),
            ("sync", PLANS, handlers.sync, handlers.broken),
            ("export", EXPORTS, _of_export(handlers.export), _of_export(handlers.unexported)),
            ("replans", INBOX, handlers.replans, _only_logged),
        ):
            DBOS.workflow(name=name, max_recovery_attempts=None)(self._guarded(queue, work, give_up))
        install(self._waker)
        DBOS.launch()
        for queue, most in (
            (INBOX, LISTENERS),
            (PLANS, self._slots),
            (APPLIES, self._slots),
            (EXPORTS, 1),
        ):
            self._register(queue, most)
        self._launched = True
        self.connect()
        self._waker.ring()

    def _register(self, queue: str, most: int) -> None:
        """Let a worker run at most `most` workflows of the queue at once. DBOS keeps this in a row that all workers read."""
        DBOS.register_queue(
            queue,
            partition_concurrency=1,
            worker_concurrency=most,
            polling_interval_sec=POLL,
            on_conflict="always_update",
        )

    def share(self, workers: int) -> None:
        """Adapt to the number of living workers, this one included: see AHEAD."""
        ahead = AHEAD if workers == 1 else 0
        if self._launched and ahead != self._ahead:
            self._ahead = ahead
            self._register(PLANS, self._slots + ahead)

    def connect(self) -> None:
        """Allow enqueueing, also in a process that carries nothing out (the clock)."""
        if self._client is None:
            self._client = DBOSClient(
                system_database_url=url_of(self._engine),
                serializer=DBOSPortableJSONSerializer(),
                application_name="towpath",
            )

    def stop(self) -> bool:
        """Stop taking work and wait GRACE seconds for what runs. Returns False if some of it still runs."""
        self._stopping.set()
        self._waker.ring()
        if self._launched:
            DBOS.destroy(destroy_registry=True, workflow_completion_timeout_sec=GRACE)
        if self._client is not None:
            self._client.destroy()
        return self._running == 0

    def enqueue(self, run: Run, tables: Tables) -> None:
        queue, partition = {
            "plan": (PLANS, f"{run.target.key}#{run.pull}"),
            "drift": (PLANS, f"{run.target.key}#drift"),
            "sync": (PLANS, f"{run.target.key}#sync"),
            **dict.fromkeys(CHANGING, (APPLIES, run.target.key)),
        }[run.kind]
        self._put(tables, run.kind, queue, run.id, partition)

    def enqueue_export(self, export: Export, tables: Tables) -> None:
        """A queue of its own: an export takes hours, and no plan or apply waits for it."""
        key = f"{_EXPORT}{export.id}{':approved' if export.phase == 'approval' else ''}"
        self._put(tables, "export", EXPORTS, key, f"{export.repository}:{export.environment}")

    def enqueue_replans(self, applied: Run, tables: Tables) -> None:
        """One at a time per repository, after the deliveries that came before."""
        self._put(tables, "replans", INBOX, f"{REPLANS}{applied.id}", f"{applied.target.repository}#replans")

    def enqueue_deliveries(self, tables: Tables, deliveries: Sequence[Delivery]) -> None:
        """Enqueue deliveries under their own ids: enqueueing one twice changes nothing."""
        for delivery in deliveries:
            self._put(tables, "handle", INBOX, delivery.id, delivery.conversation)

    def wake(self, *queues: str) -> None:
        """Poll these queues now."""
        self._waker.ring(*queues)

    def forget(self, before: datetime, limit: int) -> int:
        """Delete at most `limit` of DBOS's records of workflows that ended before `before` (UTC). Returns how many."""
        client = self._connected()
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
        """Put a dead worker's unfinished workflows back on their queues. Returns how many."""
        client = self._connected()
        left = client.list_workflows(status="PENDING", executor_id=worker)
        for workflow in left:
            client.resume_workflow(workflow.workflow_id, queue_name=workflow.queue_name)
        self.wake(INBOX, PLANS, APPLIES, EXPORTS)
        return len(left)

    def _put(self, tables: Tables, name: str, queue: str, key: str, partition: str) -> None:
        tables.wakes.add(queue)
        self._connected().enqueue_in_transaction(
            tables.connection,
            {
                "workflow_name": name,
                "queue_name": queue,
                "workflow_id": key,
                "queue_partition_key": partition,
                "app_version": VERSION,
            },
            key,
        )

    def _connected(self) -> DBOSClient:
        if self._client is None:
            raise RuntimeError("durable work has not been started in this process")
        return self._client

    def _guarded(
        self, queue: str, work: Callable[[str], None], give_up: Callable[[str, Exception, str], None]
    ) -> Callable[[str], None]:
        """Return `work` with retries while something outside is unavailable. Any other error goes to `give_up` with a
        reference. It raises only to leave the workflow pending while this process stops."""

        def guarded(key: str) -> None:
            patient = Retrying(
                retry=retry_if_exception(may_pass),
                wait=_wait,
                stop=stop_after_delay(PATIENCE),
                before_sleep=lambda state: _log_wait(key, state),
                sleep=self._sleep,
                reraise=True,
            )
            with self._counted(queue):
                try:
                    patient(work, key)
                except Exception as error:  # the last resort: a run must end, and say so
                    self._give_up(give_up, key, error)

        return guarded

    @contextmanager
    def _counted(self, queue: str) -> Iterator[None]:
        with self._counting:
            self._running += 1
        try:
            yield
        finally:
            with self._counting:
                self._running -= 1
            # then its slot and its place in the partition are free
            for seconds in SETTLED:
                soon = threading.Timer(seconds, self._waker.ring, [queue])
                soon.daemon = True
                soon.start()

    def _give_up(self, give_up: Callable[[str, Exception, str], None], key: str, error: Exception) -> None:
        """End the run, however long that takes: what is unavailable may be the very database that records the end."""
        ticket = "" if isinstance(error, UserError) else reference()
        if ticket:
            log.error("work failed", key=key, reference=ticket, exc_info=error)
        endless = Retrying(
            retry=retry_if_exception_type(UNAVAILABLE),
            wait=wait_fixed(5.0),
            before_sleep=lambda state: _log_wait(key, state),
            sleep=self._sleep,
        )
        endless(give_up, key, error, ticket)

    def _sleep(self, seconds: float) -> None:
        """Sleep; raise Parked if the process stops meanwhile."""
        if self._stopping.wait(seconds):
            raise Parked


def _of_export(work: Callable[..., None]) -> Callable[..., None]:
    """Return a function that takes the id of work instead of the export's."""
    return lambda key, *facts: work(key.removeprefix(_EXPORT).partition(":")[0], *facts)


def _only_logged(_key: str, _error: Exception, _ticket: str) -> None:
    """Give up replans: nobody waits for them, and a gate refuses the outdated plans."""


class Parked(BaseException):
    """Leaves a workflow pending for the next start. Not an Exception: DBOS records every one as the workflow's end."""


def may_pass(error: BaseException) -> bool:
    """Whether waiting may help: something outside is unavailable and did not say that retrying is pointless."""
    return isinstance(error, UNAVAILABLE) and getattr(error, "retry_after", 0.0) is not None


_doubled = wait_exponential(multiplier=1.0, max=30.0)


def _wait(state: RetryCallState) -> float:
    """Return the wait that the platform asks for, at most MOST, but at least one second doubled with each attempt."""
    asked = getattr(_error(state), "retry_after", 0.0)
    return max(min(asked, MOST), _doubled(state))


def _log_wait(key: str, state: RetryCallState) -> None:
    seconds = round(state.upcoming_sleep, 1)
    log.warning("waiting for something outside", key=key, error=str(_error(state))[:300], seconds=seconds)


def _error(state: RetryCallState) -> BaseException | None:
    return state.outcome.exception() if state.outcome else None
