"""The keys `after` and `inputs`: what is refused, and what the policy knows of the order."""

from __future__ import annotations

import pytest

from bot.domain.order import Input
from bot.domain.policy import Policy
from bot.domain.target import Target
from tests.unit.domain.test_policy_file import SOURCE, only, problems, read

STACKS = """[stack.app]
root = "app"
after = ["network"]
inputs = { vpc_id = "network.vpc_id" }
[stack.network]
root = "network"
[env.ci]
instance = "pr-{pr}"
[env.staging]
[env.prod]
"""


def target(stack: str, environment: str = "staging", instance: str = "") -> Target:
    return Target("acme/infra", stack, environment, instance)


def test_it_is_read() -> None:
    app = read(STACKS).stacks["app"]
    assert (app.after, app.inputs) == (("network",), (Input("vpc_id", "network", "vpc_id"),))
    table = STACKS.replace(
        'inputs = { vpc_id = "network.vpc_id" }\n', '[stack.app.inputs]\nvpc_id = "network.vpc_id"\n'
    )
    assert read(table).stacks["app"] == app


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ('["network"]', '["netwrok"]', "line 3: there is no stack `netwrok`; did you mean `network`?"),
        (
            '["network"]',
            '["zzz", "network"]',
            "line 3: there is no stack `zzz`; the stacks are `app`, `network`",
        ),
        ('["network"]', '"network"', "line 3: `after` must be a list of at most 200 stacks"),
        (
            '"network.vpc_id"',
            '"netwok.vpc_id"',
            "line 4: there is no stack `netwok`; did you mean `network`?",
        ),
        (
            '"network.vpc_id"',
            '"app.vpc_id"',
            "line 4: `vpc_id` comes from `app`, which is not in `after` of stack `app`",
        ),
        (
            '"network.vpc_id"',
            '"vpc_id"',
            'line 4: `inputs` must have a stack and its output for `vpc_id`, such as "network',
        ),
        ('"network.vpc_id"', "3", "line 4: `inputs` must have a stack and its output for `vpc_id`"),
        ("vpc_id =", '"vpc.id" =', "line 4: `inputs` must have names of variables, not `vpc.id`"),
        (
            '{ vpc_id = "network.vpc_id" }',
            '["network.vpc_id"]',
            "line 4: `inputs` must be a table of at most 200 inputs",
        ),
        (
            'root = "network"',
            'root = "network"\nenvironments = ["ci", "prod"]',
            "line 4: `vpc_id` comes from `network`, which is not in `staging`, but `app` is; correct `environments`",
        ),
        ("inputs =", "input =", "line 4: unknown key `input` in [stack.app]; did you mean `inputs`?"),
    ],
)
def test_what_is_wrong(old: str, new: str, said: str) -> None:
    assert any(f"{SOURCE} {said}" in one for one in problems(STACKS.replace(old, new, 1)))


def test_circles_are_named_in_full() -> None:
    text = "".join(
        f'[stack.{name}]\nroot = "{name}"\nafter = ["{before}"]\n'
        for name, before in ("ab", "bc", "ca", "de", "ed")
    )
    assert list(problems(f"{text}[env.staging]\n")) == [
        f"{SOURCE} line 3: `after` goes in a circle: a after b after c after a",
        f"{SOURCE} line 12: `after` goes in a circle: d after e after d",
    ]
    assert "a after a" in only('[stack.a]\nroot = "a"\nafter = ["a"]\n[env.staging]\n')


def test_where_the_upstream_is_not_deployed_the_order_is_ignored() -> None:
    text = STACKS.replace('inputs = { vpc_id = "network.vpc_id" }\n', "")
    policy = read(text.replace('root = "network"', 'root = "network"\nenvironments = ["ci"]'))
    assert policy.upstream(target("app")) == []
    assert policy.upstream(target("app", "ci", "pr-7")) == [target("network", "ci", "pr-7")]


def policy() -> Policy:
    return read(
        STACKS.replace("[stack.network]", '[stack.web]\nroot = "web"\nafter = ["app"]\n[stack.network]')
    )


def test_what_comes_before_and_after_a_target() -> None:
    known = policy()
    assert known.upstream(target("web")) == [target("app"), target("network")]
    assert known.upstream(target("gone")) == []
    assert known.dependents(target("network", "ci", "pr-7")) == [target("app", "ci", "pr-7")]
    assert known.dependents(target("app")) == [], "it has no inputs from there"
    assert known.order(known.stacks) == (("network",), ("app",), ("web",))
    mixed = [target("web"), target("app"), target("network"), target("network", "prod")]
    assert known.in_order(mixed) == [
        target("network"),
        target("network", "prod"),
        target("app"),
        target("web"),
    ]


def test_plans_of_stacks_without_an_order_stay_valid() -> None:
    """The digest of a stack that has neither key is the one that it had before there were any."""
    before = read(STACKS).digest("network", "staging")
    assert before == read(
        STACKS.replace('after = ["network"]\ninputs = { vpc_id = "network.vpc_id" }\n', "")
    ).digest("network", "staging")
    changed = read(STACKS.replace('vpc_id = "network', 'vpc = "network'))
    assert changed.digest("app", "staging") != read(STACKS).digest("app", "staging")
