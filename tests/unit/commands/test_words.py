"""What stands after a command's environment, and which target it means."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest

from bot.domain.answers import Refused
from bot.domain.policy_file import parse
from bot.domain.target import Target
from commands import apply, revert
from commands.targeting import one_target

POLICY = parse(
    '[env.staging]\n[env.test]\ninstance = "pr-{pr}"\n[stack.infra]\nroot = "infra"\n',
    "envs/environments.toml",
)


def ask(number: int) -> Any:
    pull = SimpleNamespace(number=number) if number else None
    return SimpleNamespace(repository="acme/infra", pull=pull, policy=lambda: POLICY)


def test_an_environment_of_each_pull_request_needs_one() -> None:
    """A lock of an instance that nobody has would keep nobody out."""
    assert one_target(ask(12), "test", None) == Target("acme/infra", "infra", "test", "pr-12")
    assert one_target(ask(0), "staging", None) == Target("acme/infra", "infra", "staging")
    said = one_target(ask(0), "test", None)
    assert isinstance(said, Refused)
    assert said.next_step == "Name one at the end, as in `test #12`."


@pytest.mark.parametrize("count", ["", "x", "-1", "\u00b2", "9" * 5000])
def test_a_count_that_is_none(count: str) -> None:
    said = revert._words(f"staging --losing {count}")
    assert isinstance(said, Refused)
    assert said.fact.startswith(f"I cannot read `--losing {count[:20]}".rstrip())


def test_a_count() -> None:
    assert revert._words("staging --losing 2 7") == (["staging", "7"], {"--losing": 2})


def test_hostile_words_stay_within_their_quotes() -> None:
    said = apply.words("staging", "`rm -rf` x", ("infra",))
    assert isinstance(said, Refused)
    assert said.fact.count("`") == 4
