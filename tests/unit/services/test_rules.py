"""Small rules of the domain: locks, globs, the policy's names, hiding."""

from __future__ import annotations

import json
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.domain.actors import Actor
from bot.domain.lock import Lock
from bot.domain.policy.model import BackendPolicy, Environment, Policy, Stack, matches
from bot.domain.redaction import MASK, Redactor, redact_json
from bot.domain.target import Target
from tests.unit.services.conftest import NOW

PROD = Target("acme/infra", "infra", "prod")
text = st.text(min_size=0, max_size=20)
anything = st.recursive(
    st.none() | st.booleans() | st.integers() | text,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(text, inner, max_size=4),
    max_leaves=20,
)


def test_a_pull_requests_lock_admits_it_alone() -> None:
    held = Lock(PROD, Actor("ann"), NOW, pull=7)
    assert held.admits(7)
    assert not held.admits(8)
    assert held.owner == "#7"


def test_a_lock_by_hand_admits_nobody() -> None:
    held = Lock(PROD, Actor("ann"), NOW)
    assert not held.admits(7)
    assert not held.admits(0)
    assert held.owner == "@ann"


def test_a_lock_ends_at_its_time() -> None:
    held = Lock(PROD, Actor("ann"), NOW, expires_at=NOW + timedelta(minutes=1))
    assert not held.expired(NOW + timedelta(seconds=59))
    assert held.expired(NOW + timedelta(minutes=1))
    assert not Lock(PROD, Actor("ann"), NOW).expired(NOW + timedelta(days=9999))


@pytest.mark.parametrize(
    ("glob", "path", "fits"),
    [
        ("infra/**", "infra/main.tf", True),
        ("infra/**", "infra/a/b/main.tf", True),
        ("infra/**", "infra", True),
        ("infra/**", "infrastructure/main.tf", False),
        ("infra/*", "infra/main.tf", True),
        ("infra/*", "infra/a/main.tf", False),
        ("envs/*.tfvars", "envs/prod.tfvars", True),
        ("envs/*.tfvars", "envs/old/prod.tfvars", False),
        ("**/main.tf", "main.tf", True),
        ("**/main.tf", "a/b/main.tf", True),
        ("a/**/b/**/c", "a/x/b/y/z/c", True),
        ("a/**/b/**/c", "a/x/c", False),
        ("infra/?.tf", "infra/a.tf", True),
        ("infra/?.tf", "infra/ab.tf", False),
        ("Infra/**", "infra/main.tf", False),
        ("/infra/**", "infra/main.tf", True),
        ("infra/[ab].tf", "infra/b.tf", True),
    ],
)
def test_globs(glob: str, path: str, fits: bool) -> None:
    assert matches(glob, path) is fits


def test_a_stack_watches_its_root_unless_told_otherwise() -> None:
    assert Stack("infra", "infra").watches("infra/a/main.tf")
    assert not Stack("infra", "infra").watches("envs/prod.tfvars")
    listed = Stack("infra", "infra", when_modified=("envs/*.tfvars",))
    assert listed.watches("envs/prod.tfvars")
    assert not listed.watches("infra/main.tf")


def policy(*stacks: Stack) -> Policy:
    environments = [
        Environment("dev", local=True),
        Environment("ci", instance="pr-{pr}"),
        Environment(
            "load-test", secrets_prefix="LOAD_", var_files=("envs/all.tfvars", "envs/{env}-{stack}.tfvars")
        ),
        Environment("prod"),
    ]
    return Policy({stack.name: stack for stack in stacks}, {env.name: env for env in environments})


def test_one_stack_has_short_keys_and_several_have_long_ones() -> None:
    network = Stack("network", "network")
    assert policy(network).key("network", "prod") == "prod/terraform.tfstate"
    both = policy(network, Stack("infra", "infra", backend=BackendPolicy(key="{stack}/{env}.tfstate")))
    assert both.key("network", "prod") == "prod/network/terraform.tfstate"
    assert both.key("infra", "prod") == "infra/prod.tfstate"


def test_names_that_follow_from_an_environments() -> None:
    found = policy(Stack("infra", "infra"))
    assert found.var_files("infra", "prod") == ("envs/prod.tfvars",)
    assert found.var_files("infra", "load-test") == ("envs/all.tfvars", "envs/load-test-infra.tfvars")
    assert found.secrets_prefix("prod") == "PROD_"
    assert found.secrets_prefix("load-test") == "LOAD_"
    assert found.target("acme/infra", "infra", "ci", 42).key == "acme/infra:infra:ci:pr-42"
    assert found.target("acme/infra", "infra", "prod", 42).key == "acme/infra:infra:prod"


def test_the_laptops_environment_is_nobody_elses() -> None:
    assert [env.name for env in policy(Stack("infra", "infra")).environments_of(Stack("infra", "infra"))] == [
        "ci",
        "load-test",
        "prod",
    ]
    only = Stack("infra", "infra", environments=("dev", "prod"))
    assert [env.name for env in policy(only).environments_of(only)] == ["prod"]


def test_a_digest_changes_with_what_a_plan_depends_on() -> None:
    one, moved = policy(Stack("infra", "infra")), policy(Stack("infra", "infra2"))
    longer = policy(
        Stack("infra", "infra"), Stack("network", "network")
    )  # the state's key is another one then
    digests = {found.digest("infra", "prod") for found in (one, moved, longer)}
    assert len(digests) == 3
    assert one.digest("infra", "prod") == policy(Stack("infra", "infra")).digest("infra", "prod")


@given(anything, st.lists(st.text(min_size=4, max_size=12), min_size=1, max_size=4))
def test_hiding_leaves_no_secret_anywhere(data: object, secrets: list[str]) -> None:
    planted = {"key " + secrets[0]: [data, secrets[-1], {"x": f"a{secrets[0]}b"}]}
    hidden = redact_json(planted, Redactor(secrets))
    for secret in secrets:
        if secret not in MASK and not any(part in secret for part in MASK):
            assert not _contains(hidden, secret)


def _contains(data: object, secret: str) -> bool:
    if isinstance(data, str):
        return secret in data
    if isinstance(data, dict):
        return any(_contains(one, secret) for pair in data.items() for one in pair)
    return isinstance(data, list) and any(_contains(one, secret) for one in data)


def test_hiding_keeps_the_rest_as_it_is() -> None:
    data = {"a": [1, None, True, "abc", {"b": 1.5}]}
    assert redact_json(data, Redactor(["nowhere"])) == data
    assert redact_json(data, Redactor(["abc"])) == data, (
        "shorter than four characters: every text would be blackened"
    )
    assert json.loads(json.dumps(redact_json({"k": ("x", "hunter2!")}, Redactor(["hunter2!"])))) == {
        "k": ["x", MASK]
    }


def test_the_longest_secret_is_hidden_first() -> None:
    assert redact_json("hunter2-and-more", Redactor(["hunter2", "hunter2-and-more"])) == MASK
