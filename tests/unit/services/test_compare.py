"""Two recorded states side by side: which ones are meant, what is masked, and why there is nothing to compare."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest

from bot.domain.chat import StateComparison
from bot.domain.identity import EnvironmentSecrets
from bot.domain.policy.loader import parse_policy
from bot.domain.refusal import Refused
from bot.domain.states import StateInfo
from bot.domain.target import Target
from bot.services.context import Context
from bot.services.states import compare_states
from tests.fixtures.refusals import answer_of, refusal_of

STAGING = Target("acme/infra", "infra", "staging")
POLICY = parse_policy('[stack.infra]\nroot = "infra"\n[env.staging]\n[env.prod]\n', "")
VALUES = {"STAGING_": {"key": "of-staging"}, "PROD_": {"key": "of-prod"}}
HISTORY = "Run `/history staging` for the serials."


@pytest.fixture
def world(context: Context) -> Context:
    """Where an environment's secrets are, and one of the bot's own."""
    return replace(
        context, secrets=lambda scope: EnvironmentSecrets.split(VALUES[scope.prefix]), hidden=("of-the-bot",)
    )


def state(serial: int, value: str = "", **more: Any) -> bytes:
    outputs = {"note": {"value": value or f"note {serial}", "type": "string"}}
    return json.dumps({"version": 4, "serial": serial, "lineage": "l", "outputs": outputs, **more}).encode()


def keep(world: Context, *states: bytes, target: Target = STAGING) -> None:
    with world.store.begin() as tables:
        for data in states:
            tables.states.append(target.key, data, StateInfo.parse(data), observed=True)


def compare(world: Context, *serials: int) -> StateComparison | Refused:
    answer: StateComparison | Refused = answer_of(compare_states, world, STAGING, POLICY, serials)
    return answer


def refused(world: Context, *serials: int) -> Refused:
    return refusal_of(compare_states, world, STAGING, POLICY, serials)


@pytest.mark.parametrize(
    ("serials", "compared"), [((), (2, 3)), ((1,), (1, 3)), ((1, 2), (1, 2)), ((3, 1), (3, 1))]
)
def test_which_two(world: Context, serials: tuple[int, ...], compared: tuple[int, int]) -> None:
    """The newest two, one with the newest, or those that were named, in that order."""
    keep(world, state(1), state(2), state(3))
    keep(world, state(4), target=replace(STAGING, environment="prod"))
    found = compare(world, *serials)
    assert isinstance(found, StateComparison)
    assert (found.before.serial, found.after.serial) == compared
    (output,) = found.diff.outputs
    assert (output.before, output.after) == tuple(f'"note {serial}"' for serial in compared)


def test_of_two_with_one_serial_the_newer_counts(world: Context) -> None:
    keep(world, state(1), state(2, "old"), state(2, "new"), state(3))
    found = compare(world, 1, 2)
    assert isinstance(found, StateComparison)
    assert found.diff.outputs[0].after == '"new"'


def test_secrets_of_the_target_and_of_the_bot_are_masked(world: Context) -> None:
    """Not those of other environments, which nothing here reads."""
    keep(world, state(1, "of-the-bot"), state(2, "of-staging of-prod"))
    found = compare(world)
    assert isinstance(found, StateComparison)
    (output,) = found.diff.outputs
    assert (output.before, output.after) == ('"***"', '"*** of-prod"')


@pytest.mark.parametrize(("serials", "missing"), [((9,), 9), ((1, 9), 9), ((8, 9), 8)])
def test_a_serial_that_was_never_recorded(world: Context, serials: tuple[int, ...], missing: int) -> None:
    keep(world, state(1), state(2))
    fact = f"staging has no recorded state with serial {missing}."
    assert refused(world, *serials) == Refused("no-version", fact, HISTORY)


def test_nothing_was_recorded(world: Context) -> None:
    keep(world, state(1), state(2), target=replace(STAGING, environment="prod"))
    assert refused(world) == Refused(
        "too-few",
        "staging has no recorded state, so there is nothing to compare.",
        "Run `/apply staging` to create the first.",
    )


def test_one_state_was_recorded(world: Context) -> None:
    keep(world, state(5))
    assert refused(world) == Refused(
        "too-few",
        "staging has only one recorded state (serial 5), so there is nothing to compare.",
        "Run `/history staging` to see it. The next apply records another.",
    )


@pytest.mark.parametrize(
    ("serials", "fact"), [((2,), "Serial 2 is the newest of staging"), ((1, 1), "Both serials are the same")]
)
def test_a_state_is_not_compared_with_itself(world: Context, serials: tuple[int, ...], fact: str) -> None:
    keep(world, state(1), state(2))
    assert refused(world, *serials) == Refused(
        "same",
        f"{fact}, so there is nothing to compare.",
        "Run `/diff staging` for the newest two, or `/diff staging <serial>` for others.",
    )


def test_a_state_that_opentofu_encrypted(world: Context) -> None:
    keep(world, state(1), json.dumps({"serial": 2, "lineage": "l", "encrypted_data": "x"}).encode())
    assert refused(world) == Refused(
        "unreadable",
        "These states cannot be compared: OpenTofu has encrypted it, and the bot has no key for it.",
        "Run `/history staging` for other versions.",
    )
