"""How long durable work waits for what is away, and when it gives up. No test sleeps."""

from __future__ import annotations

from types import SimpleNamespace

import pytest
import sqlalchemy as sa
from structlog.testing import capture_logs

from bot.domain.ports.forge import ForgeError
from bot.errors import TransientError, UserError
from bot.jobs import durable
from bot.jobs.durable import MOST, Durable, Parked


class Work:
    """Fails with the given errors, one a try, then succeeds; `broken` fails with its own first."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, *errors: Exception) -> None:
        self.errors, self.broken_errors = list(errors), list[Exception]()
        self.tries = 0
        self.slept: list[float] = []
        self.told: list[tuple[str, str, bool]] = []
        self.durable = Durable(sa.create_engine("sqlite://"), "one", 2)
        monkeypatch.setattr(self.durable, "_sleep", self.slept.append)

    def run(self) -> None:
        self.durable._guarded("plans", self._work, self._broken)("run-1")

    def _work(self, key: str) -> None:
        assert key == "run-1"
        self.tries += 1
        if self.errors:
            raise self.errors.pop(0)

    def _broken(self, key: str, error: Exception, ticket: str) -> None:
        if self.broken_errors:
            raise self.broken_errors.pop(0)
        self.told.append((key, str(error), ticket.startswith("T-")))


def away(seconds: float = 0.0) -> TransientError:
    return TransientError("away", retry_after=seconds)


def test_the_wait_doubles_up_to_half_a_minute(monkeypatch: pytest.MonkeyPatch) -> None:
    work = Work(monkeypatch, *[away() for _ in range(8)])
    work.run()
    assert work.slept == [1, 2, 4, 8, 16, 30, 30, 30]
    assert (work.tries, work.told) == (9, [])


def test_the_platform_may_ask_for_longer_but_not_for_ever(monkeypatch: pytest.MonkeyPatch) -> None:
    errors = [ForgeError("slow down", retry_after=seconds) for seconds in (12.0, 0.1, 900.0)]
    work = Work(monkeypatch, *errors)
    with capture_logs() as logs:
        work.run()
    assert work.slept == [12.0, 2, MOST]
    told = {
        "key": "run-1",
        "error": "slow down",
        "event": "waiting for something outside",
        "log_level": "warning",
    }
    assert logs == [told | {"seconds": seconds} for seconds in (12.0, 2, MOST)]


def test_a_database_that_is_away_does_not_say_how_long(monkeypatch: pytest.MonkeyPatch) -> None:
    work = Work(monkeypatch, sa.exc.OperationalError("select", {}, Exception("gone")))
    work.run()
    assert (work.slept, work.tries, work.told) == ([1], 2, [])


@pytest.mark.parametrize(
    ("error", "ticket"),
    [
        (ForgeError("no", status=403), True),
        (RuntimeError("no"), True),
        (UserError("no", next_step=""), False),
    ],
)
def test_a_final_no_is_handed_over_at_once(
    monkeypatch: pytest.MonkeyPatch, error: Exception, ticket: bool
) -> None:
    work = Work(monkeypatch, error)
    work.run()
    assert (work.tries, work.slept, work.told) == (1, [], [("run-1", str(error), ticket)])


def test_patience_has_an_end(monkeypatch: pytest.MonkeyPatch) -> None:
    work = Work(monkeypatch, *[away() for _ in range(4)])
    clock = iter([0.0, 0.0, 1.0, 1800.0, durable.PATIENCE + 1])  # two at the start, one after each try
    monkeypatch.setattr("tenacity.time", SimpleNamespace(monotonic=lambda: next(clock, 0.0)))
    work.run()
    assert (work.tries, work.slept) == (3, [1, 2])
    assert work.told == [("run-1", "away", True)]


def test_telling_of_the_end_has_none(monkeypatch: pytest.MonkeyPatch) -> None:
    work = Work(monkeypatch, RuntimeError("ours"))
    work.broken_errors = [away(), away(300.0), ForgeError("no")]
    work.run()
    assert work.slept == [5.0, 5.0, 5.0]
    assert work.told == [("run-1", "ours", True)]


def test_a_stop_leaves_the_work_pending(monkeypatch: pytest.MonkeyPatch) -> None:
    work = Work(monkeypatch, away(30.0))
    monkeypatch.undo()
    work.durable._stopping.set()
    with pytest.raises(Parked):
        work.run()
    assert (work.tries, work.told) == (1, [])
