"""After a revert, what is said of the environment is what its recorded states show."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest

from bot.domain.ports.state import Author
from bot.domain.run import Run
from bot.domain.states import StateInfo
from bot.domain.target import Target
from bot.services.context import Context
from bot.services.releases import range_link, revert_proof
from bot.services.releases.proof import SHOWN
from tests.integration.storage import samples
from tests.unit.services.conftest import NOW

PROD = Target("acme/infra", "infra", "prod")
COMMIT, REVERTED = "a1b2c3d" + "0" * 33, "f" * 40
RUN = Run("r9", "apply", PROD, 7, COMMIT, base_commit=REVERTED, plan_id="p9", reverts="e1", created_at=NOW)


def state(serial: int, more: Any = None, **objects: Any) -> bytes:
    """A state with one object of type `t` per name: its attributes."""
    resources = [
        {
            "mode": "managed",
            "type": "t",
            "name": name,
            "provider": 'provider["registry.terraform.io/acme/t"]',
            "instances": [{"schema_version": 0, "attributes": attributes}],
        }
        for name, attributes in objects.items()
    ]
    whole = {"version": 4, "serial": serial, "lineage": "l", "outputs": {}, "resources": resources}
    return json.dumps({**whole, **(more or {})}).encode()


def append(context: Context, data: bytes, run_id: str) -> None:
    with context.store.begin() as tables:
        tables.states.append(PROD.key, data, StateInfo.parse(data), Author(run_id))


def reverted(
    context: Context, then: bytes | None, now: bytes | None, summary: dict[str, Any] | None = None
) -> str:
    """What is said after a revert to the release that left the state `then`, with the state `now`."""
    serial = 1 if then is None else StateInfo.parse(then).serial
    release = replace(samples.release("e1", PROD), serial=serial, run_id="r1", commit=COMMIT, created_at=NOW)
    with context.store.begin() as tables:
        tables.releases.add(release)
        made: Any = samples.plan("p9", target=PROD, reverts="e1", run_id="p9", summary=summary or {})
        tables.plans.add(made, samples.FILE)
    for data, run_id in ((then, "r1"), (now, "r9")):
        if data is not None:
            append(context, data, run_id)
    return revert_proof(context, RUN)


def test_it_matches(context: Context) -> None:
    said = reverted(context, state(1, a={"id": "1", "size": 2}), state(3, a={"id": "1", "size": 2}))
    assert said == "prod matches `a1b2c3d`."


def test_what_was_made_anew_lost_its_contents(context: Context) -> None:
    said = reverted(context, state(1, a={"id": "1", "size": 2}), state(3, a={"id": "9", "size": 2}))
    assert said == "prod matches `a1b2c3d`. Recreated, contents lost: `t.a`."


def test_each_difference_is_named(context: Context) -> None:
    then = state(1, a={"id": "1", "size": 2}, gone={"id": "5"})
    now = state(3, a={"id": "1", "size": 3}, new={"id": "6"})
    said = reverted(context, then, now)
    assert said == "prod differs from `a1b2c3d`: `t.a`: size; `t.gone` is missing; `t.new` is new."


def test_a_difference_in_what_was_made_anew_is_told_with_it(context: Context) -> None:
    said = reverted(context, state(1, a={"id": "1", "size": 2}), state(3, a={"id": "9", "size": 3}))
    assert said == "prod differs from `a1b2c3d`: `t.a`: size. Recreated, contents lost: `t.a`."


def test_an_outputs_difference_is_named(context: Context) -> None:
    then, now = ({"outputs": {"url": {"value": one, "type": "string"}}} for one in ("old", "new"))
    said = reverted(context, state(1, then), state(3, now))
    assert said == "prod differs from `a1b2c3d`: output `url`."


def test_three_attributes_are_named(context: Context) -> None:
    then, now = ({"id": "1", **dict.fromkeys("bcde", value)} for value in (1, 2))
    assert reverted(context, state(1, a=then), state(3, a=now)) == (
        "prod differs from `a1b2c3d`: `t.a`: b, c, d."
    )


@pytest.mark.parametrize(("extra", "more"), [(0, ""), (3, "; and 3 more")])
def test_the_first_differences_are_named_and_the_others_counted(
    context: Context, extra: int, more: str
) -> None:
    gone = {f"n{number:02}": {"id": str(number)} for number in range(SHOWN + extra)}
    said = reverted(context, state(1, **gone), state(3))
    assert said.count("is missing") == SHOWN
    assert said.endswith(f"`t.n{SHOWN - 1:02}` is missing{more}.")


def test_what_the_plan_left_to_the_provider_is_no_difference(context: Context) -> None:
    change = {
        "address": "t.a",
        "type": "t",
        "action": "update",
        "attributes": [{"path": "seen", "before": '"x"', "after": "(known after apply)"}],
    }
    then, now = state(1, a={"id": "1", "seen": "x"}), state(3, a={"id": "1", "seen": "y"})
    assert reverted(context, then, now, {"changes": [change]}) == "prod matches `a1b2c3d`."


def test_the_state_of_the_releases_own_run_is_compared(context: Context) -> None:
    """A newer one has the same serial: the state was ended and begun again."""
    reverted(context, state(1, a={"id": "1"}), None)
    with context.store.begin() as tables:
        tables.states.end(PROD.key)
    append(context, state(1, b={"id": "2"}), "r5")
    append(context, state(3, a={"id": "1"}), "r9")
    assert revert_proof(context, RUN) == "prod matches `a1b2c3d`."


def test_a_state_that_is_no_longer_recorded(context: Context) -> None:
    assert reverted(context, None, state(3)) == (
        "The state that this release left is no longer recorded, so nothing was compared."
    )


def test_an_encrypted_state_cannot_be_compared(context: Context) -> None:
    said = reverted(context, state(1), state(3, {"encrypted_data": "x"}))
    assert said == (
        "Comparing with that release failed: The state is encrypted by OpenTofu, so it cannot be compared."
    )


@pytest.mark.parametrize("change", [{"reverts": "gone"}, {"plan_id": "gone"}])
def test_without_its_release_or_its_plan_nothing_is_said(context: Context, change: Any) -> None:
    assert reverted(context, state(1), state(3))
    assert revert_proof(context, replace(RUN, **change)) == ""


def test_without_a_state_nothing_is_said(context: Context) -> None:
    assert reverted(context, None, None) == ""


@pytest.mark.parametrize(
    ("summary", "link"),
    [({}, f"https://example.com/acme/infra/compare/{COMMIT}...{REVERTED}"), ({"forward": True}, "")],
)
def test_the_reverted_commits_are_linked(context: Context, summary: dict[str, Any], link: str) -> None:
    with context.store.begin() as tables:
        tables.pulls.save_repository(samples.repository())
    reverted(context, state(1), state(3), summary)
    assert range_link(context, RUN) == link
    assert range_link(context, replace(RUN, plan_id="gone")) == ""
