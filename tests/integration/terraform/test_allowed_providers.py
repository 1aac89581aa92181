"""Providers that the policy does not allow, with real engines: they are never started."""

from __future__ import annotations

from dataclasses import replace

import pytest

from bot.domain.ports.terraform import PlanOptions
from bot.errors import UserError
from tests.integration.terraform.conftest import Bench
from tests.integration.terraform.going_back import HEAD, Road

RECORD = 'resource "playground_dns_record" "www" {\n  name  = "www"\n  value = "192.0.2.1"\n}\n'
NOTHING = 'resource "terraform_data" "it" {\n}\n'
OTHERS = ("hashicorp/*",)


def test_a_cached_init_is_checked_too(fast_bench: Bench) -> None:
    """The list became shorter since it was made."""
    road = Road(fast_bench)
    root = road.commit("new", RECORD)
    road.plan(root)
    place = fast_bench.place(root)
    ready = fast_bench.runner.init(
        replace(place, providers=("towpath.example/*/*",)), fast_bench.backend, fast_bench.control()
    )
    assert ready.reused
    assert ready.providers == ("towpath.example/demo/playground",)
    with pytest.raises(UserError, match=r"`demo/playground` from `towpath.example` \(`new/main.tf line 4`\)"):
        fast_bench.runner.init(replace(place, providers=OTHERS), fast_bench.backend, fast_bench.control())


def test_what_only_the_state_needs(bench: Bench) -> None:
    """Init installs it for an object that the configuration no longer has."""
    road = Road(bench)
    road.applied(road.commit("old", RECORD))
    root = road.commit("new", {"main.tf": NOTHING})
    place = replace(bench.place(root), providers=OTHERS)
    with pytest.raises(UserError, match=r"`demo/playground`.*`new/\.terraform\.lock\.hcl line \d+`"):
        bench.runner.init(place, bench.backend, bench.control())


def test_an_init_that_the_plan_repeats(bench: Bench) -> None:
    """A cached init lacks what the state needs by now: the plan makes another one, and does not go on."""
    road = Road(bench)
    nothing = road.commit("nothing", {"main.tf": NOTHING})
    place = replace(bench.place(nothing), providers=OTHERS)
    assert bench.runner.init(place, bench.backend, bench.control()).ended.ok
    road.applied(road.commit("old", RECORD))
    again = replace(bench.place(road.commit("again", {"main.tf": NOTHING})), providers=OTHERS)
    assert bench.runner.init(again, bench.backend, bench.control()).reused
    with pytest.raises(UserError, match="`demo/playground`"):
        bench.runner.plan(again, again.root / "plan", bench.control(), PlanOptions())


def test_where_it_is_named(fast_bench: Bench) -> None:
    """From the top of the repository."""
    root = Road(fast_bench).commit("new", {"main.tf": HEAD})
    place = replace(fast_bench.place(root), providers=(), worktree=root.parent)
    with pytest.raises(UserError, match=r"`new/main.tf line 4`.*on the default branch") as refused:
        fast_bench.runner.init(place, fast_bench.backend, fast_bench.control())
    assert refused.value.next_step.endswith(
        'add `"towpath.example/demo/playground"` to `allow` under `[providers]` there.'
    )
