"""What keeps durable work awake, single and on time."""

from __future__ import annotations

import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
import sqlalchemy as sa

from bot.errors import UserError
from bot.jobs import liveness, queue_waker
from bot.jobs.clock import Clock
from bot.jobs.durable import Durable
from bot.jobs.queue_waker import QueueWaker

PATIENCE = 30.0
"""Seconds after which a wait that should have ended is a failure. No test waits for them."""


# the bell


def waiting(bell: QueueWaker, answers: list[bool], timeout: float | None = PATIENCE) -> threading.Thread:
    ready = threading.Event()

    def wait() -> None:
        bell.wait(0)  # a thread hears what rings after its first look
        ready.set()
        answers.append(bell.wait(timeout))

    thread = threading.Thread(target=wait)
    thread.start()
    assert ready.wait(PATIENCE)
    return thread


def test_a_ring_ends_every_wait() -> None:
    bell, answers = QueueWaker(), list[bool]()
    threads = [waiting(bell, answers) for _ in range(3)]
    bell.ring()
    for thread in threads:
        thread.join(PATIENCE)
    assert answers == [False, False, False]


def test_a_ring_between_two_waits_is_not_lost() -> None:
    bell = QueueWaker()
    bell.wait(0)
    bell.ring()
    assert bell.wait(PATIENCE) is False
    assert bell.wait(0) is False, "and it is heard once"


def test_a_ring_for_a_queue_ends_that_ones_wait_alone() -> None:
    bell, heard = QueueWaker(), list[str]()

    def wait(queue: str) -> None:
        bell.wait(PATIENCE)
        heard.append(queue)

    threads = [
        threading.Thread(target=wait, args=[queue], name=f"queue-worker-{queue}")
        for queue in ("inbox", "plans")
    ]
    for thread in threads:
        thread.start()
    while threads[0].is_alive():
        bell.ring("inbox")
        threads[0].join(0.01)
    assert heard == ["inbox"]
    while threads[1].is_alive():
        bell.ring()
        threads[1].join(0.01)
    assert heard == ["inbox", "plans"]


def test_the_first_ring_is_heard_at_once_and_the_next_ones_are_gathered(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    pauses = list[float]()
    monkeypatch.setattr("bot.jobs.queue_waker.time.sleep", pauses.append)
    monkeypatch.setattr("bot.jobs.queue_waker.time.monotonic", lambda: 100.0)

    def wait() -> None:
        bell = QueueWaker("inbox")
        bell.wait(0)
        for _ in range(2):
            bell.ring("inbox", "plans")
            bell.wait(0)

    for queue in ("inbox", "plans"):
        thread = threading.Thread(target=wait, name=f"queue-worker-{queue}")
        thread.start()
        thread.join(PATIENCE)
    assert pauses == pytest.approx([0.0, queue_waker.REST, 0.0, queue_waker.GATHER])


def test_rings_are_heard_by_each_thread_for_itself() -> None:
    bell, answers = QueueWaker(), list[bool]()
    bell.wait(0)
    thread = waiting(bell, answers)
    bell.ring()
    thread.join(PATIENCE)
    assert bell.wait(PATIENCE) is False
    assert answers == [False]


def test_only_a_worker_that_is_alone_prepares_plans_ahead(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[tuple[str, int]] = []
    monkeypatch.setattr(Durable, "_register", lambda _work, queue, most: asked.append((queue, most)))
    work = Durable(sa.create_engine("sqlite://"), "one", 2)
    work.share(1)
    assert asked == [], "nothing is taken up before the start"
    monkeypatch.setattr(work, "_launched", True)
    for workers in (1, 1, 2, 3, 1):
        work.share(workers)
    assert asked == [("plans", 4), ("plans", 2), ("plans", 4)]


def test_when_dbos_stops_the_waits_say_so() -> None:
    stop, bell, answers = threading.Event(), QueueWaker(), list[bool]()
    assert bell.over(stop) is bell
    thread = waiting(bell, answers)
    assert not bell.is_set()
    stop.set()
    bell.ring()
    thread.join(PATIENCE)
    assert answers == [True]
    assert bell.is_set()
    assert bell.wait(None) is True


# one process a name


@pytest.fixture
def engine(database_url: str) -> Iterator[sa.Engine]:
    from bot.storage.engines import open_engine

    made = open_engine(database_url)
    yield made
    made.dispose()


def test_two_processes_get_two_names(engine: sa.Engine, tmp_path: Path) -> None:
    first, held = liveness.claim_name(engine, tmp_path, "host")
    second, also = liveness.claim_name(engine, tmp_path, "host")
    assert (first, second) == ("host", "host-2")
    held.release()
    third, last = liveness.claim_name(engine, tmp_path, "host")
    assert third == "host", "a name that was let go is free"
    last.release()
    also.release()


def test_other_names_do_not_meet(engine: sa.Engine, tmp_path: Path) -> None:
    one, held = liveness.claim_name(engine, tmp_path, "one")
    other, also = liveness.claim_name(engine, tmp_path, "other")
    assert (one, other) == ("one", "other")
    held.release()
    also.release()


def test_there_is_an_end_to_names(engine: sa.Engine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(liveness, "MOST", 2)
    held = [liveness.claim_name(engine, tmp_path, "host")[1] for _ in range(2)]
    with pytest.raises(UserError, match="TOWPATH_WORKER_NAME"):
        liveness.claim_name(engine, tmp_path, "host")
    for one in held:
        one.release()


HOLDER = """
import sys
from pathlib import Path
from bot.jobs import liveness
from bot.storage.engines import open_engine
name, life = liveness.claim_name(open_engine(sys.argv[1]), Path(sys.argv[2]), "host")
print(name, flush=True)
sys.stdin.read()
"""


def test_a_killed_owner_leaves_its_name(database_url: str, engine: sa.Engine, tmp_path: Path) -> None:
    command = [sys.executable, "-c", HOLDER, database_url, str(tmp_path)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as holder:
        assert holder.stdout is not None
        assert holder.stdout.readline() == "host\n"
        name, held = liveness.claim_name(engine, tmp_path, "host")
        assert name == "host-2"
        held.release()
        holder.kill()
        holder.wait()
    name, held = _when_free(engine, tmp_path)
    assert name == "host"
    held.release()


def _when_free(engine: sa.Engine, directory: Path) -> tuple[str, liveness.WorkerLock]:
    """Postgres notices a moment later that a client is gone."""
    for _ in range(200):
        name, held = liveness.claim_name(engine, directory, "host")
        if name == "host":
            return name, held
        held.release()
        threading.Event().wait(0.05)
    raise AssertionError("the name is never free")


def test_the_advisory_lock_has_a_key_for_each_name() -> None:
    keys = {liveness.key_of(name) for name in ("host", "host-2", "other")}
    assert len(keys) == 3
    assert all(0 <= key < 2**63 for key in keys)


# the clock


def test_ticks_come_again_and_a_failed_one_stops_nothing(capsys: pytest.CaptureFixture[str]) -> None:
    good, bad, over = threading.Semaphore(0), threading.Semaphore(0), threading.Event()

    def fail() -> None:
        bad.release()
        if not over.is_set():
            raise RuntimeError("of a tick")

    clock = Clock({"good": (0.02, good.release), "bad": (0.02, fail)})
    clock.start()
    try:
        for _ in range(3):
            assert bad.acquire(timeout=PATIENCE)
            assert good.acquire(timeout=PATIENCE)
    finally:
        over.set()
        clock.stop()
    assert "of a tick" in "".join(capsys.readouterr())


def test_a_clock_that_never_started_stops_all_the_same() -> None:
    Clock({}).stop()


def test_a_slow_tick_does_not_pile_up() -> None:
    entered, leave, at_once = threading.Semaphore(0), threading.Event(), list[int]()
    inside = 0

    def slow() -> None:
        nonlocal inside
        inside += 1
        at_once.append(inside)
        entered.release()
        leave.wait(PATIENCE)
        inside -= 1

    clock = Clock({"slow": (0.01, slow)})
    clock.start()
    try:
        assert entered.acquire(timeout=PATIENCE)
        assert not entered.acquire(timeout=0.2)
        leave.set()
        assert entered.acquire(timeout=PATIENCE)
    finally:
        leave.set()
        clock.stop()
    assert set(at_once) == {1}


def test_a_ring_before_a_threads_first_wait_is_heard() -> None:
    """Work may be enqueued before DBOS's thread for the queue has begun to wait."""
    bell, pauses = QueueWaker(), list[float]()
    bell.ring("plans")

    def wait() -> None:
        began = time.monotonic()
        bell.wait(PATIENCE)
        pauses.append(time.monotonic() - began)

    thread = threading.Thread(target=wait, name="queue-worker-plans")
    thread.start()
    thread.join(PATIENCE / 2)
    assert not thread.is_alive()
    assert pauses
