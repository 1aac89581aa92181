"""What a platform refuses for good is given up, said once, and tried now and then all the same."""

from __future__ import annotations

import threading
from dataclasses import replace
from typing import Any

import pytest
from structlog.testing import capture_logs

from bot.domain.ports.forge import ForgeError
from bot.domain.ports.surfaces import Surface
from bot.errors import TransientError
from bot.playground.world import until
from bot.services.context import Context, SurfaceKey, show
from bot.surfaces import projector
from bot.surfaces.projector import GIVEN_UP_RETRY, MAX_ATTEMPTS, Projector
from tests.integration.storage import samples
from tests.unit.services.conftest import Clock

ID = "status:acme/infra#7"


class Platform:
    """A projection that refuses while `refuses` is set."""

    def __init__(self) -> None:
        self.refuses: Exception | None = ForgeError("Resource not accessible", status=403)
        self.asked = 0

    def __call__(self, _context: Context, surface: Surface) -> Surface:
        self.asked += 1
        if self.refuses is not None:
            raise self.refuses
        return replace(surface, digest="shown")


class Wall:
    """One surface of pull request #7, and who projects it."""

    def __init__(self, context: Context, clock: Clock) -> None:
        self.context, self.clock, self.platform = context, clock, Platform()
        self.projector = Projector(lambda: context, {"status": self.platform}, threads=0)
        self.pull("open")
        self.want()

    def pull(self, state: str) -> None:
        with self.context.store.begin() as tables:
            tables.pulls.save(samples.pull(state=state))

    def want(self) -> None:
        with self.context.store.begin() as tables:
            show(tables, self.clock(), SurfaceKey("status", "acme/infra#7", "acme/infra", 7))

    @property
    def row(self) -> Surface:
        with self.context.store.read() as tables:
            found = tables.surfaces.get(ID)
        assert found is not None
        return found

    def give_up(self) -> list[Any]:
        """Until it is given up; what was logged."""
        with capture_logs() as logs:
            for _ in range(MAX_ATTEMPTS):
                assert self.projector.once()
                self.clock.pass_by(minutes=2)
        return [line for line in logs if line["event"] == "surface given up"]


@pytest.fixture
def wall(context: Context, clock: Clock) -> Wall:
    return Wall(context, clock)


def test_it_is_given_up_once_with_its_reason(wall: Wall, clock: Clock) -> None:
    (said,) = wall.give_up()
    assert (said["surface"], said["attempts"]) == (ID, MAX_ATTEMPTS)
    assert "Resource not accessible" in said["error"]
    assert "Resource not accessible" in wall.row.error
    with capture_logs() as logs:
        for _ in range(3):
            clock.pass_by(seconds=GIVEN_UP_RETRY.total_seconds())
            assert wall.projector.once()
            assert not wall.projector.once(), "an hour passes between two tries"
    assert not [line for line in logs if line["log_level"] == "warning"]
    assert wall.platform.asked == MAX_ATTEMPTS + 3


def test_what_is_repaired_shows_within_the_hour(wall: Wall, clock: Clock) -> None:
    wall.give_up()
    wall.platform.refuses = None
    assert not wall.projector.once()
    clock.pass_by(seconds=GIVEN_UP_RETRY.total_seconds())
    assert wall.projector.once()
    assert (wall.row.digest, wall.row.due_at, wall.row.error) == ("shown", None, "")
    assert wall.row.settled_at == clock()


def test_a_restart_tries_at_once(wall: Wall) -> None:
    wall.give_up()
    wall.platform.refuses = None
    wall.projector.start()
    assert wall.projector.once()
    assert wall.row.digest == "shown"


def test_a_restart_hurries_nothing_that_was_asked_to_wait(wall: Wall) -> None:
    wall.platform.refuses = ForgeError("slow down", status=429, retry_after=300.0)
    assert wall.projector.once()
    wall.projector.start()
    assert not wall.projector.once()


def test_something_new_is_shown_at_once(wall: Wall) -> None:
    wall.give_up()
    wall.platform.refuses = None
    wall.want()
    assert wall.projector.once()
    assert wall.row.digest == "shown"


def test_a_fault_of_ours_is_said_once_too(wall: Wall, clock: Clock) -> None:
    wall.platform.refuses = RuntimeError("broken")
    assert len(wall.give_up()) == 1
    with capture_logs() as logs:
        clock.pass_by(seconds=GIVEN_UP_RETRY.total_seconds())
        assert wall.projector.once()
    assert not [line for line in logs if line["log_level"] in ("warning", "error")]


def test_a_database_that_is_away_for_a_moment_costs_no_claim(
    wall: Wall, monkeypatch: pytest.MonkeyPatch
) -> None:
    wall.platform.refuses = None
    begin, asked = wall.context.store.begin, iter(range(9))

    def flaky() -> Any:
        if next(asked) == 1:  # the first is the claim, the second what ends it
            raise TransientError("deadlock detected")
        return begin()

    monkeypatch.setattr(wall.context.store, "begin", flaky)
    monkeypatch.setattr(projector, "SETTLE_RETRY", 0.0)
    assert wall.projector.once()
    assert (wall.row.digest, wall.row.due_at, wall.platform.asked) == ("shown", None, 1)


def test_a_claim_that_lapsed_is_not_settled_any_more(
    wall: Wall, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    wall.platform.refuses = None
    begin, asked = wall.context.store.begin, list[int]()

    def away() -> Any:
        asked.append(1)
        if len(asked) == 1:
            return begin()
        clock.pass_by(seconds=projector.LEASE.total_seconds() / 3)
        raise TransientError("gone")

    monkeypatch.setattr(wall.context.store, "begin", away)
    monkeypatch.setattr(projector, "SETTLE_RETRY", 0.0)
    with pytest.raises(TransientError, match="gone"):
        wall.projector.once()
    assert len(asked) == 1 + 3


@pytest.mark.parametrize("state", ["closed", "merged"])
def test_a_closed_pull_request_is_left_alone(wall: Wall, clock: Clock, state: str) -> None:
    wall.give_up()
    wall.pull(state)
    clock.pass_by(seconds=GIVEN_UP_RETRY.total_seconds())
    assert wall.projector.once()
    assert wall.row.due_at is None
    wall.projector.start()
    clock.pass_by(days=1)
    assert not wall.projector.once()


def test_what_becomes_due_together_is_shared_out(
    context: Context, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One wake-up is enough: a thread that finds something wakes the next one."""
    monkeypatch.setattr(projector, "IDLE", 60.0)
    both = threading.Barrier(2, timeout=10)

    def project(_context: Context, surface: Surface) -> Surface:
        both.wait()  # each waits for a surface that another thread projects
        return replace(surface, digest="shown")

    together = Projector(lambda: context, {"status": project}, threads=2)
    together.start()
    try:
        with context.store.begin() as tables:
            for number in (7, 8):
                show(tables, clock(), SurfaceKey("status", f"acme/infra#{number}", "acme/infra", number))
        together.poke()
        until(lambda: _digests(context) == ["shown", "shown"], what="both surfaces")
    finally:
        together.stop()


def _digests(context: Context) -> list[str]:
    with context.store.read() as tables:
        found = [tables.surfaces.get(f"status:acme/infra#{number}") for number in (7, 8)]
    return [one.digest for one in found if one is not None]
