"""A laptop and Towpath exclude each other, and a laptop passes no protection that a pull request does not."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from bot.domain.hold import Hold
from bot.domain.lock import LAPTOP, Lock
from bot.domain.policy import Policy
from bot.domain.policy.loader import parse_policy
from bot.domain.ports.forge import ForgeError
from bot.domain.ports.state import PERSON, Grant
from bot.domain.states import LockInfo, StateInfo
from bot.errors import TransientError, UserError
from bot.services.access.local_runs import LocalRuns
from bot.services.context import Context
from tests.contract.state_store import state
from tests.unit.services.conftest import NOW, Clock
from tests.unit.services.world import BOB, PLAIN, STACK, STAGING, World

APPLY = LockInfo("l1", operation="OperationTypeApply", who="ann@laptop")
PLAN = LockInfo("l2", operation="OperationTypePlan", who="ann@laptop")


def grant(login: str = "ann") -> Grant:
    return Grant(STAGING.key, "", write=True, expires_at=NOW + timedelta(hours=8), actor=login)


class Laptops(World):
    """What the state backend does with a person's credential."""

    def __init__(self, context: Context) -> None:
        super().__init__(context)
        self.runs = LocalRuns(context.now, lambda _repository: self.policy)

    def lock(self, wanted: LockInfo = APPLY, login: str = "ann", forbidden: str = "") -> LockInfo | None:
        with self.context.store.begin() as tables:
            return self.runs.lock(tables, grant(login), wanted, forbidden)

    def unlock(self, lock_id: str | None = "l1", login: str = "ann") -> LockInfo | None:
        with self.context.store.begin() as tables:
            return self.runs.unlock(tables, grant(login), lock_id)

    @property
    def held(self) -> tuple[str, str]:
        """The id of the state's lock, and the owner of the target's; "" for none."""
        with self.context.store.read() as tables:
            present = tables.states.locked(STAGING.key)
        lock = self.lock_of()
        return present.id if present else "", lock.owner if lock else ""


@pytest.fixture
def world(context: Context) -> Laptops:
    return Laptops(context)


# what the policy forbids


def forbids(policy: Any, wanted: LockInfo = APPLY, at: Any = NOW) -> str:
    def read(_repository: str) -> Policy | None:
        if isinstance(policy, Exception):
            raise policy
        return parse_policy(policy, "policy") if policy else None

    return LocalRuns(lambda: at, read).forbids(grant(), wanted)


@pytest.mark.parametrize(
    ("policy", "says"),
    [
        (PLAIN, ""),
        (f"{STACK}[env.staging]\nlaptop = false\n", "its policy says `laptop = false`. Use `/apply staging`"),
        (f"{STACK}[env.staging]\napprovals = {{ count = 1 }}\n", "its policy enforces approvals"),
        (
            f"{STACK}[env.staging]\nlaptop = true\nfreeze = [{{ deny = '* * * * *', for = '1h' }}]\n",
            "is frozen",
        ),
        (f"{STACK}[env.other]\n", "staging is no longer in the policy of acme/infra."),
        (None, "staging is no longer in the policy of acme/infra."),
    ],
)
def test_a_run_that_writes_needs_what_the_policy_says(policy: Any, says: str) -> None:
    said = forbids(policy)
    assert says in said
    assert bool(said) == bool(says)
    assert forbids(policy, PLAN) == ""


@pytest.mark.parametrize("error", [ForgeError("down"), TransientError("down"), UserError("broken")])
def test_a_policy_that_cannot_be_read_forbids_writing_and_not_planning(error: Exception) -> None:
    assert "cannot be read now, so staging cannot be changed. Try again later." in forbids(error)
    assert forbids(error, PLAN) == ""


# locking


def test_a_run_that_writes_takes_both_locks(world: Laptops) -> None:
    assert world.lock() is None
    assert world.held == ("l1", "@ann")
    lock = world.lock_of()
    assert lock is not None
    assert (lock.pull, lock.expires_at, lock.laptop) == (0, NOW + LAPTOP, True)
    assert lock.reason == "Terraform on a laptop (ann@laptop)"
    (entry,) = world.audit
    assert (entry.action, entry.login, entry.via) == ("lock.taken", "ann", "terraform")
    assert "status:acme/infra#7" in world.due()


def test_a_plan_takes_the_states_alone_whoever_has_the_target(world: Laptops) -> None:
    world.take_lock(8)
    assert world.lock(PLAN, forbidden="no") is None
    assert world.held == ("l2", "#8")
    assert world.audit == []


def hold(world: Laptops) -> None:
    with world.context.store.begin() as tables:
        tables.holds.pin(Hold(STAGING, "e1", "a" * 40, "f" * 40, "r0", 6, BOB, NOW))


@pytest.mark.parametrize(
    ("happens", "forbidden", "says"),
    [
        (
            lambda _world: None,
            "staging is frozen. Use `/apply staging`.",
            "staging is frozen. Use /apply staging.",
        ),
        (hold, "", "staging is on hold at aaaaaaa since @bob reverted it"),
        (lambda world: world.leave_unsaved(), "", "Run /push-state staging in a pull request."),
    ],
    ids=["policy", "hold", "unsaved"],
)
def test_a_refusal_is_told_as_a_lock_and_recorded(
    world: Laptops, happens: Any, forbidden: str, says: str
) -> None:
    """Terraform prints nothing of a lock but its id."""
    happens(world)
    refused = world.lock(forbidden=forbidden)
    assert refused is not None
    assert says in refused.id
    assert "`" not in refused.id
    assert world.held == ("", "")
    assert [(one.action, one.facts["operation"]) for one in world.audit] == [
        ("lock.refused", APPLY.operation)
    ]


@pytest.mark.parametrize(("pull", "who"), [(8, "#8"), (0, "@bob")])
def test_anothers_lock_is_the_obstacle(world: Laptops, pull: int, who: str) -> None:
    world.take_lock(pull)
    refused = world.lock()
    assert refused is not None
    assert (refused.who, "/unlock staging" in refused.id) == (who, True)
    assert world.held == ("", who)


def test_so_is_another_laptops_and_a_running_apply(world: Laptops) -> None:
    world.lock(login="bob")
    refused = world.lock(LockInfo("l3", operation=APPLY.operation))
    assert refused is not None
    assert refused.who == "@bob"
    world.unlock(login="bob")
    world.keep_run(phase="applying")
    refused = world.lock()
    assert refused is not None
    assert refused.id == "an apply of #7 is running on staging; try again when it has finished"
    assert world.held == ("", "")


def test_a_state_lock_of_somebody_else_leaves_the_target_free(world: Laptops) -> None:
    world.lock(PLAN, login="bob")
    assert world.lock() == PLAN
    assert world.held == ("l2", "")


def test_an_expired_lock_is_replaced_and_ones_own_renewed(world: Laptops, clock: Clock) -> None:
    world.take_lock(8, expires_at=NOW + timedelta(minutes=1))
    clock.pass_by(minutes=1)
    assert world.lock() is None
    clock.pass_by(minutes=30)
    assert world.lock() is None  # Terraform asks again with the same id
    lock = world.lock_of()
    assert lock is not None
    assert lock.expires_at == clock() + LAPTOP
    assert world.actions == ["lock.taken"]


# unlocking and writing


def test_unlocking_releases_both_and_once_more_is_no_error(world: Laptops) -> None:
    world.lock()
    assert world.unlock() is None
    assert world.unlock() is None
    assert world.held == ("", "")
    assert world.actions == ["lock.taken", "lock.released"]


@pytest.mark.parametrize(("lock_id", "login"), [("l1", "bob"), (None, "bob"), ("other", "ann")])
def test_what_is_not_ones_own_stays(world: Laptops, lock_id: str | None, login: str) -> None:
    world.lock()
    assert world.unlock(lock_id, login) == APPLY
    assert world.held == ("l1", "@ann")


def test_force_unlock_means_any_lock_of_ones_own(world: Laptops) -> None:
    world.lock()
    assert world.unlock(None) is None
    assert world.held == ("", "")


def test_after_a_plan_anothers_target_lock_stays(world: Laptops) -> None:
    world.take_lock(0)
    world.lock(PLAN)
    assert world.unlock("l2") is None
    assert world.held == ("", "@bob")


def test_a_write_is_recorded_and_renews_the_lock(world: Laptops, clock: Clock) -> None:
    world.lock()
    clock.pass_by(minutes=50)
    with world.context.store.begin() as tables:
        tables.states.append(STAGING.key, state(4), StateInfo.parse(state(4)))
        world.runs.wrote(tables, grant())
    lock = world.lock_of()
    assert lock is not None
    assert lock.expires_at == clock() + LAPTOP
    assert (world.audit[-1].action, world.audit[-1].facts["serial"]) == ("state.written", 4)


def test_a_write_renews_nobody_elses_lock(world: Laptops, clock: Clock) -> None:
    theirs: Lock = world.take_lock(8)
    clock.pass_by(minutes=50)
    with world.context.store.begin() as tables:
        world.runs.wrote(tables, grant())
    assert world.lock_of() == theirs
    assert world.audit == []


def test_the_holder_is_the_person(world: Laptops) -> None:
    world.lock()
    with world.context.store.read() as tables:
        assert tables.states.holder(STAGING.key) == f"{PERSON}ann"
