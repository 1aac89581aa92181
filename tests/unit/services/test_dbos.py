"""What `bot.jobs.queue_waker` takes for granted of DBOS, which it patches. If one of these fails after an update of DBOS, look
at `hang` and `Bell`, and at "Libraries" in docs/architecture.md, before you change the test."""

from __future__ import annotations

import inspect
import threading

from dbos import _dbos, _queue

from bot.jobs.queue_waker import WORKER, QueueWaker, install


def _parameters(function: object) -> list[str]:
    assert inspect.isfunction(function)
    return list(inspect.signature(function).parameters)


def test_the_patched_function_is_what_it_was() -> None:
    assert _dbos.queue_thread is _queue.queue_thread
    assert (_queue.queue_thread.__module__, _queue.queue_thread.__name__) == ("dbos._queue", "queue_thread")
    assert _parameters(_queue.queue_thread) == ["stop_event", "dbos"]
    assert _parameters(_queue.queue_worker_thread)[:1] == ["stop_event"]


def test_dbos_starts_it_by_its_global_name_with_two_arguments() -> None:
    source = inspect.getsource(_dbos.DBOS._launch)
    assert "target=queue_thread, args=(evt, self)" in source


def test_between_polls_it_waits_on_the_stop_event_alone() -> None:
    for function in (_queue.queue_thread, _queue.queue_worker_thread):
        source = inspect.getsource(function)
        uses = {part.split("(")[0] for part in source.split("stop_event.")[1:]}
        assert uses == {"is_set", "wait"}, function.__name__
        assert "sleep(" not in source, "the bell ends waits, not sleeps"
    assert {"is_set", "wait"} <= set(dir(QueueWaker))


def test_the_thread_of_a_queue_is_named_for_it() -> None:
    assert f'name=f"{WORKER}{{queue_name}}"' in inspect.getsource(_queue.queue_thread)


def test_the_patch_is_gone_after_one_launch() -> None:
    before, bell, seen = _dbos.queue_thread, QueueWaker(), list[object]()

    def thread(stop_event: object, dbos: object) -> None:
        seen.extend([stop_event, dbos])

    try:
        _dbos.queue_thread = thread  # type: ignore[assignment]
        install(bell)
        stop, launched = threading.Event(), object()
        _dbos.queue_thread(stop, launched)  # type: ignore[arg-type]
        assert _dbos.queue_thread is thread
        assert seen == [bell, launched]
        stop.set()
        assert bell.is_set()
    finally:
        _dbos.queue_thread = before
