"""What follows the environment in a command, and which target it means."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest

from bot.domain.policy.loader import parse_policy
from bot.domain.target import Target
from commands import apply, revert
from commands.target_argument import find_target
from tests.fixtures.refusals import refusal_of

POLICY = parse_policy(
    '[env.staging]\n[env.test]\ninstance = "pr-{pr}"\n[stack.infra]\nroot = "infra"\n',
    "envs/environments.toml",
)


def ask(number: int) -> Any:
    pull = SimpleNamespace(number=number) if number else None
    return SimpleNamespace(repository="acme/infra", pull=pull, policy=lambda: POLICY)


def test_an_environment_of_each_pull_request_needs_one() -> None:
    """A lock of an instance that nobody has would keep nobody out."""
    assert find_target(ask(12), "test", None) == Target("acme/infra", "infra", "test", "pr-12")
    assert find_target(ask(0), "staging", None) == Target("acme/infra", "infra", "staging")
    said = refusal_of(find_target, ask(0), "test", None)
    assert said.next_step == "Add the pull request, such as `test #12`."


@pytest.mark.parametrize("count", ["", "x", "-1", "\u00b2", "9" * 5000])
def test_a_count_that_is_none(count: str) -> None:
    said = refusal_of(revert._parse_options, f"staging --losing {count}")
    assert said.fact.startswith(f"`/revert` does not take `--losing {count[:20]}".rstrip())


def test_a_count() -> None:
    assert revert._parse_options("staging --losing 2 7") == (["staging", "7"], {"--losing": 2})


def test_hostile_words_stay_within_their_quotes() -> None:
    said = refusal_of(apply.parse_options, "staging", "`rm -rf` x", ("infra",))
    assert said.fact.count("`") == 4
