"""A state is written again only by people the policy names, who have counted what no state will know, and exactly once."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest

from bot.domain.chat import Notice
from bot.domain.ports.state import Author
from bot.domain.run import Origin
from bot.domain.states import LockInfo, StateInfo, StateRefused
from bot.services.context import Context
from bot.services.reverts.state_only import RestoreRequest, restore_state
from tests.fixtures.refusals import refusal_of
from tests.unit.services.world import ANN, BOB, PLAIN, STAGING, World

POLICY = f"{PLAIN}force = {{ users = ['ann'] }}\n"


def state(serial: int, *names: str, lineage: str = "one") -> bytes:
    """With one resource of each name."""
    resources = [
        {
            "mode": "managed",
            "type": "t",
            "name": name,
            "provider": "p",
            "instances": [{"attributes": {"id": name}}],
        }
        for name in names
    ]
    whole = {"version": 4, "serial": serial, "lineage": lineage, "outputs": {}, "resources": resources}
    return json.dumps(whole).encode()


@pytest.fixture
def world(context: Context) -> World:
    """Serial 2 knew `t.a` and `t.b`; serial 5, which is current, knows `t.a` and `t.c`."""
    made = World(context, POLICY)
    made.kind, made.bucket.data = "s3", state(5, "a", "c")
    for data in (state(2, "a", "b"), made.bucket.data):
        with context.store.begin() as tables:
            tables.states.append(STAGING.key, data, StateInfo.parse(data), Author("r0"))
    return made


def request(world: World, **more: Any) -> RestoreRequest:
    facts: dict[str, Any] = {
        "actor": ANN,
        "origin": Origin("d1"),
        "serial": 2,
        "acknowledged": (1, 1),
        **more,
    }
    return RestoreRequest(world.pull_context(), STAGING, **facts)


def restore(world: World, **more: Any) -> Notice:
    said = restore_state(world.context, request(world, **more))
    assert isinstance(said, Notice)
    return said


def refused(world: World, **more: Any) -> Any:
    """Why not; nothing was written, and nothing is locked that was not before."""
    before, lock = world.bucket.data, world.lock_of()
    refusal = refusal_of(restore_state, world.context, request(world, **more))
    assert (world.bucket.data, world.lock_of(), world.enqueued) == (before, lock, [])
    assert "state.rewound" not in world.actions
    return refusal


def test_the_old_state_has_the_next_serial_and_its_plan_must_be_accepted(world: World) -> None:
    said = restore(world)
    assert said.text.startswith("Restored the state of staging from serial 2; no resource was changed.")
    assert said.next_step == "Read it, then run `/unlock staging` to accept it."
    assert json.loads(world.bucket.data or b"") == json.loads(state(6, "a", "b"))
    assert world.bucket.present is None
    lock = world.lock_of()
    assert lock is not None
    assert (lock.pull, lock.restores, lock.restored) == (0, 2, True)
    assert [(run.kind, run.target) for run in world.enqueued] == [("plan", STAGING)]
    (entry,) = world.audit
    assert (entry.action, entry.login, entry.facts["serial"], entry.facts["to"]) == (
        "state.rewound",
        "ann",
        6,
        2,
    )
    with world.context.store.read() as tables:
        newest, old = tables.states.versions(STAGING.key, 9)[0], tables.states.numbered(STAGING.key, 2)
    assert old is not None
    assert (newest.serial, newest.actor, newest.reverts) == (6, "ann", old.id)


# who, and what they have counted


def test_only_people_whom_the_policy_names_may(world: World) -> None:
    refusal = refused(world, actor=BOB)
    assert (refusal.code, "Only @ann can force changes" in refusal.fact) == ("force", True)
    assert "`/revert staging --state-only 2`" in refusal.next_step


@pytest.mark.parametrize("acknowledged", [None, (0, 0), (1, 0), (2, 1)])
def test_what_would_be_orphaned_or_a_ghost_is_counted_first(world: World, acknowledged: Any) -> None:
    refusal = refused(world, acknowledged=acknowledged)
    assert refusal.code == "unacknowledged"
    assert "Orphans (exist, but in no state): `t.c`." in refusal.fact
    assert "Ghosts (in the state, but may not exist): `t.b`." in refusal.fact
    assert refusal.next_step == "`/revert staging --state-only 2 --orphans 1 --ghosts 1` to confirm."


def test_many_are_listed_in_part(world: World) -> None:
    world.bucket.data = state(5, "a", "b", *(f"n{number:02}" for number in range(23)))
    refusal = refused(world)
    assert "`t.n19` and 3 more. Ghosts (in the state, but may not exist): none." in refusal.fact
    assert "--orphans 23 --ghosts 0" in refusal.next_step


# which state


@pytest.mark.parametrize(
    ("change", "code", "says"),
    [
        ({"serial": 3}, "no-version", "no version with serial 3"),
        ({"now": None}, "no-version", "no state now"),
        ({"now": state(7, "a", lineage="two")}, "other-lineage", "has another lineage"),
    ],
)
def test_what_is_no_earlier_state_of_this_one(world: World, change: Any, code: str, says: str) -> None:
    if "now" in change:
        world.bucket.data = change.pop("now")
    refusal = refused(world, **change)
    assert (refusal.code, says in refusal.fact) == (code, True)


def test_the_state_that_is_there_is_not_written_again(world: World) -> None:
    world.bucket.data = state(9, "a", "b")
    said = restore(world)
    assert said.text == "The state of staging already equals serial 2."
    assert (world.bucket.data, world.lock_of(), world.enqueued) == (state(9, "a", "b"), None, [])


# locks


@pytest.mark.parametrize(
    ("happens", "code"),
    [
        (lambda world: world.take_lock(8), "locked"),
        (lambda world: world.keep_run("r9", phase="applying"), "busy"),
        (lambda world: setattr(world.bucket, "present", LockInfo("l1", who="bob@laptop")), "state-locked"),
    ],
    ids=["target", "apply", "state"],
)
def test_what_somebody_else_is_changing_is_refused(
    world: World, happens: Callable[[World], object], code: str
) -> None:
    happens(world)
    held = world.bucket.present
    assert refused(world).code == code
    assert world.bucket.present == held


def test_a_state_that_the_backend_refuses_gives_the_lock_back(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_facts: object) -> None:
        raise StateRefused("its serial is 6, the current state's is already 7")

    monkeypatch.setattr(world.bucket, "write", refuse)
    assert refused(world).code == "state-refused"
    assert world.bucket.present is None


# repeats


def stop(*_facts: object) -> None:
    raise KeyboardInterrupt


@pytest.mark.parametrize("at", ["write", "unlock"])
def test_after_a_crash_the_same_request_goes_on(
    world: World, monkeypatch: pytest.MonkeyPatch, at: str
) -> None:
    with monkeypatch.context() as dying:
        dying.setattr(world.bucket, at, stop)
        with pytest.raises(KeyboardInterrupt):
            restore(world)
    lock = world.lock_of()
    assert lock is not None
    assert (lock.restores, lock.restored) == (2, False)
    assert "was changed" in restore(world).text
    assert world.bucket.present is None
    assert StateInfo.parse(world.bucket.data or b"").serial == 6
    assert (world.actions, len(world.enqueued)) == (["state.rewound"], 1)


def test_asked_again_it_is_recorded_and_planned_once(world: World) -> None:
    restore(world)
    restore(world)
    assert (world.actions, len(world.enqueued)) == (["state.rewound"], 1)
    restore(world, origin=Origin("d2"))
    assert world.actions == ["state.rewound"]
