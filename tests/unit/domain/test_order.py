"""The order of stacks: layers, circles, whose turn it is, and what is passed on."""

from __future__ import annotations

import itertools
import json
import random
from typing import Any

import pytest

from bot.domain.order import (
    Input,
    Source,
    Turn,
    changed_inputs,
    cycle_in,
    given_inputs,
    in_layers,
    shared_outputs,
    turn_of,
    upstream_of,
    why_not,
)
from bot.domain.refusal import Refusal
from bot.domain.run import InputValue, Run
from bot.domain.states import Output, Outputs
from bot.domain.target import Target
from tests.integration.storage import samples

AFTER = {"app": ["network", "db"], "db": ["network"], "web": ["app"], "network": [], "dns": []}
NETWORK, APP = Target("acme/infra", "network", "staging"), Target("acme/infra", "app", "staging")


@pytest.mark.parametrize(
    ("names", "found"),
    [
        (["web", "app", "db", "network", "dns"], (("network", "dns"), ("db",), ("app",), ("web",))),
        (["dns", "network"], (("dns", "network"),)),
        (["web", "network"], (("network",), ("web",))),
        (["web", "web"], (("web",),)),
        ([], ()),
        (["unknown", "app"], (("unknown", "app"),)),
    ],
)
def test_what_comes_first_is_in_an_earlier_layer(names: list[str], found: Any) -> None:
    """Also where the stack between two of them is not asked for."""
    assert in_layers(AFTER, names) == found


def test_upstream_goes_through_others() -> None:
    assert upstream_of(AFTER, "web") == {"app", "db", "network"}
    assert upstream_of(AFTER, "network") == upstream_of(AFTER, "unknown") == frozenset()


def test_any_order_keeps_the_rules() -> None:
    """Forwards each stack comes after all that are before it; in reverse, before them."""
    chance = random.Random(7)
    names = [f"s{number}" for number in range(12)]
    for _ in range(50):
        after = {
            name: chance.sample(names[:number], chance.randint(0, number))
            for number, name in enumerate(names)
        }
        shuffled = chance.sample(names, len(names))
        flat = [name for layer in in_layers(after, shuffled) for name in layer]
        assert sorted(flat) == sorted(names)
        for name in names:
            assert all(flat.index(one) < flat.index(name) for one in after[name])
        back = [name for layer in reversed(in_layers(after, shuffled)) for name in layer]
        assert all(back.index(name) < back.index(one) for name in names for one in after[name])


def test_a_circle_is_named_in_full() -> None:
    assert cycle_in(AFTER) == ()
    circle = cycle_in({"a": ["b"], "b": ["c"], "c": ["a"], "d": ["a"]})
    assert circle[0] == circle[-1]
    assert set(circle) == {"a", "b", "c"}
    assert all(then in {"a": ["b"], "b": ["c"], "c": ["a"]}[one] for one, then in itertools.pairwise(circle))
    assert cycle_in({"a": ["a"]}) == ("a", "a")
    with pytest.raises(ValueError, match="circle"):
        in_layers({"a": ["b"], "b": ["a"]}, ["a", "b"])


# whose turn it is


def run(run_id: str, kind: str = "plan", outcome: str = "", **more: Any) -> Run:
    phase = "finished" if outcome else "queued"
    return samples.run(run_id, kind=kind, target=NETWORK, phase=phase, outcome=outcome or None, **more)


def waiting(kind: str = "plan", *after: str) -> Run:
    return samples.run("w", kind=kind, target=APP, after=after or ("n",))


@pytest.mark.parametrize(
    ("kind", "before", "passes"),
    [
        ("plan", run("n", outcome="planned"), True),
        ("plan", run("n", outcome="failed"), False),
        ("plan", run("n", outcome="cancelled"), False),
        ("plan", run("n", "apply", "applied"), True),
        ("plan", run("n", "apply", "failed"), True),
        ("apply", run("n", "apply", "applied"), True),
        ("apply", run("n", "apply", "failed"), False),
        ("apply", run("n", "apply", "refused"), False),
        ("apply", run("n", "apply", "refused", pull=8), True),
        ("apply", run("n", "apply", "interrupted", pull=8), False),
    ],
)
def test_what_lets_a_run_start(kind: str, before: Run, passes: bool) -> None:
    assert turn_of(waiting(kind), {"n": before}) == (Turn() if passes else Turn(failed=before))


def test_it_waits_for_all_and_for_newer_ones() -> None:
    others = {
        "n": run("n", outcome="planned"),
        "m": run("m"),
        "o": run("o", outcome="superseded", superseded_by="p"),
    }
    assert turn_of(waiting("plan", "n", "m", "o"), others) == Turn(after=("m", "p"))
    assert turn_of(waiting("plan", "n", "p"), others) == Turn(after=("p",)), "one that is not there yet"
    pushed = {"n": run("n", outcome="superseded")}
    assert turn_of(waiting(), pushed) == Turn(superseded=True)


def test_why_it_does_not_start() -> None:
    said = why_not(waiting("apply"), run("n", "apply", "timed_out"))
    assert said == "Not applied: the apply of staging/network timed out, and staging/app comes after it."
    said = why_not(waiting(), run("n", outcome="failed"))
    assert said == "Not planned: the plan of staging/network failed, and staging/app comes after it."


# what is passed on


def source(outputs: Outputs | None = None, version: str = "v1", output: str = "vpc_id") -> Source:
    return Source(Input("vpc", "network", output), NETWORK, outputs, version)


@pytest.mark.parametrize("value", ["vpc-1", "${path.root}", 3, True, ["a", {"b": None}], {"a": {"b": "ü"}}])
def test_values_are_passed_on_as_they_are(value: Any) -> None:
    given = given_inputs(APP, [source({"vpc_id": Output(value)})], "STAGING_")
    assert given == {"vpc": {"stack": "network", "output": "vpc_id", "value": value, "version": "v1"}}


@pytest.mark.parametrize(
    ("one", "fact", "step"),
    [
        (
            source(None),
            "cannot be read: its state is encrypted by OpenTofu",
            "Remove `vpc` from `inputs` of stack `app`.",
        ),
        (
            source({}, ""),
            (
                "staging/app needs the output `vpc_id` of staging/network as `vpc`, but nothing was applied to "
                "staging/network yet."
            ),
            "Run `/apply staging network`; staging/app is then planned automatically.",
        ),
        (
            source({"other": Output(1)}),
            "has no such output",
            "Add it to stack `network`, then run `/plan staging network` and",
        ),
        (
            source({"vpc_id": Output(None, sensitive=True)}),
            "that output is sensitive",
            "Set the secret `STAGING_TF_VAR_vpc` instead",
        ),
        (source({"vpc_id": Output("x" * 70_000)}), "larger than 64 KB", "Pass smaller outputs"),
    ],
)
def test_what_is_not_passed_on(one: Source, fact: str, step: str) -> None:
    with pytest.raises(Refusal) as refused:
        given_inputs(APP, [one], "STAGING_")
    assert (refused.value.code, fact in refused.value.what, step in refused.value.next_step) == (
        "no-input",
        True,
        True,
    )
    assert "x" * 100 not in str(refused.value)


def test_which_inputs_have_changed() -> None:
    def value(output: str, content: object) -> InputValue:
        return {"stack": "network", "output": output, "value": content, "version": "v1"}

    given = {"a": value("id", 1), "b": value("names", ["x"]), "c": replace_stack(value("zone", "z"), "dns")}
    assert changed_inputs(given, {}) == ()
    assert changed_inputs(given, {"network": {"id": Output(1), "names": Output(["x"])}}) == ()
    assert changed_inputs(given, {"network": {"id": Output(True), "names": Output(["x"])}}) == ("network.id",)
    assert changed_inputs(given, {"network": {"id": Output(2), "names": Output(["x"])}}) == ("network.id",)
    assert changed_inputs(given, {"network": {"id": Output(1, sensitive=True)}}) == (
        "network.id",
        "network.names",
    )
    assert changed_inputs(given, {"network": None, "dns": {}}) == ("dns.zone", "network.id", "network.names")


def replace_stack(value: InputValue, stack: str) -> InputValue:
    return {**value, "stack": stack}


def test_sensitive_values_are_left_out() -> None:
    state = {
        "outputs": {"a": {"value": "s3cret", "sensitive": True}, "b": {"value": [1]}, "c": {"value": None}}
    }
    shared = shared_outputs(json.dumps(state).encode())
    assert shared == {"a": Output(None, sensitive=True), "b": Output([1])}
    assert shared_outputs(None) == {}
    assert shared_outputs(b'{"encrypted_data": "x"}') is None
