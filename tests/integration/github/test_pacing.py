"""The token bucket: a burst, then a pace, the urgent first."""

from __future__ import annotations

import threading

import pytest

from bot.github.client import write_bucket
from bot.github.rate_limit import Bucket, Crowded, Pace


class Time:
    """A clock that only sleeping moves."""

    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now

    def sleep(self, seconds: float) -> None:
        self.now += seconds


def test_a_burst_then_a_pace() -> None:
    time = Time()
    bucket = Bucket(Pace(burst=3, per_second=0.5), clock=time, sleep=time.sleep)
    taken = []
    for _ in range(6):
        bucket.take()
        taken.append(time.now)
    assert taken == pytest.approx([0, 0, 0, 2, 4, 6])


def test_idle_time_refills_the_burst_and_no_more() -> None:
    time = Time()
    bucket = Bucket(Pace(burst=2, per_second=1), clock=time, sleep=time.sleep)
    time.now = 1000
    for _ in range(3):
        bucket.take()
    assert time.now == pytest.approx(1001)


def test_all_paces_count() -> None:
    time = Time()
    bucket = Bucket(Pace(2, 10), Pace(4, 0.1), clock=time, sleep=time.sleep)
    for _ in range(5):
        bucket.take()
    assert time.now == pytest.approx(10)


def test_too_long_a_wait_is_refused_and_takes_nothing() -> None:
    time = Time()
    bucket = Bucket(Pace(burst=1, per_second=0.01), clock=time, sleep=time.sleep)
    bucket.take()
    with pytest.raises(Crowded) as caught:
        bucket.take(within=30)
    assert caught.value.retry_after == pytest.approx(100)
    bucket.take(within=101)
    assert time.now == pytest.approx(100)


def test_githubs_limits_hold_in_any_minute_and_hour() -> None:
    time = Time()
    bucket = write_bucket()
    bucket._clock, bucket._sleep, bucket._filled_at = time, time.sleep, 0.0
    taken = []
    while time.now < 7200:
        bucket.take(within=1000)
        taken.append(time.now)
    for span, most in ((60, 80), (3600, 500)):
        for start in taken:
            assert sum(start <= moment < start + span for moment in taken) <= most


def test_the_urgent_goes_first() -> None:
    """Progress waits in a thread; what is final arrives later and goes before it."""
    gate, order = threading.Event(), []
    now = [0.0]
    asleep = threading.Semaphore(0)

    def sleep(_seconds: float) -> None:
        asleep.release()
        gate.wait()
        threading.Event().wait(0.001)

    bucket = Bucket(Pace(burst=1, per_second=1), clock=lambda: now[0], sleep=sleep)
    bucket.take()

    def write(name: str, priority: int) -> None:
        bucket.take(priority, within=1e9)
        order.append(name)
        now[0] += 1

    threads = [
        threading.Thread(target=write, args=("progress 1", 1)),
        threading.Thread(target=write, args=("progress 2", 1)),
        threading.Thread(target=write, args=("final", 0)),
    ]
    for thread in threads:
        thread.start()
        asleep.acquire()
    now[0] = 1.0
    gate.set()
    for thread in threads:
        thread.join()
    assert order == ["final", "progress 1", "progress 2"]
