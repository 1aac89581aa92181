"""`/diff` and `/history` over a real database."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from bot.domain.actors import Actor
from bot.domain.chat import History, StateComparison
from bot.domain.chat.tokenizer import split_words
from bot.domain.identity import EnvironmentSecrets
from bot.domain.policy.loader import parse_policy
from bot.domain.policy.model import Policy
from bot.domain.ports.state import Author
from bot.domain.refusal import Refused
from bot.domain.release import Release
from bot.domain.run import Origin
from bot.domain.states.model import StateDamaged, StateInfo
from bot.domain.target import Target
from bot.services.context import Context
from bot.storage.tables import state_deltas
from commands.registry import CommandContext, find
from tests.contract.state_store import state
from tests.fixtures.refusals import answer_of

# The fixtures' home is beside the services; these tests need the same context.
from tests.unit.services.conftest import Clock, clock, context, database  # noqa: F401

HERE = Target("acme/infra", "infra", "staging")
ONE = '[stack.infra]\nroot = "infra"\n[env.staging]\n'
TWO = ONE + '[stack.net]\nroot = "net"\n'


class Asked(CommandContext):
    """Its policy is given."""

    given = ONE

    def policy(self) -> Policy:
        return parse_policy(self.given, "environments.toml")


def ask(context: Context, line: str, given: str = ONE) -> Any:  # noqa: F811
    """What a line answers."""
    words = split_words(line)
    command = find(words[0].text.lstrip("/"))
    assert command is not None
    asked = Asked(context, Actor("ann"), "write", Origin(), "acme/infra", None)
    object.__setattr__(asked, "given", given)
    return answer_of(command.run, asked, words)


@pytest.fixture
def written(context: Context) -> Context:  # noqa: F811
    context = replace(
        context,
        secrets=lambda scope: EnvironmentSecrets.split(
            {"TOKEN": "from-staging"} if scope.prefix == "STAGING_" else {}
        ),
    )
    with context.store.begin() as tables:
        for serial in (1, 2, 5):
            data = state(serial, outputs={"n": {"value": f"{serial}-from-staging"}, "same": {"value": 1}})
            tables.states.append(HERE.key, data, StateInfo.parse(data), Author(f"r{serial}", actor="ann"))
    return context


@pytest.mark.parametrize(
    ("line", "serials"),
    [
        ("/diff staging", (2, 5)),
        ("/diff staging 1", (1, 5)),
        ("/diff staging 5 1", (5, 1)),
        ("/diff staging 1 2 infra", (1, 2)),
        ("/diff staging infra", (2, 5)),
        ("/diff staging 1 infra", (1, 5)),
    ],
)
def test_which_are_compared(written: Context, line: str, serials: tuple[int, int]) -> None:
    found = ask(written, line)
    assert isinstance(found, StateComparison)
    assert (found.before.serial, found.after.serial) == serials
    assert [line for output in found.diff.outputs for line in output.lines] == [
        f'~ n = "{serials[0]}-***" -> "{serials[1]}-***"'
    ]


@pytest.mark.parametrize(
    ("line", "code"),
    [
        ("/diff staging 3", "no-version"),
        ("/diff staging 9999999999999999999999", "no-version"),
        ("/diff staging 1 2 3", "grammar"),
        ("/diff staging infra 1", "grammar"),
        ("/diff staging a b", "grammar"),
        ("/diff nowhere", "unknown-environment"),
        ("/diff staging v1", "unknown-stack"),
        ("/diff staging 5", "same"),
        ("/diff staging 2 2", "same"),
        ("/diff staging 1 nothing", "unknown-stack"),
    ],
)
def test_what_cannot_be_compared(written: Context, line: str, code: str) -> None:
    found = ask(written, line)
    assert isinstance(found, Refused)
    assert found.code == code
    assert found.next_step


def test_a_stack_is_named_where_there_are_several(written: Context) -> None:
    assert ask(written, "/diff staging 1 2", TWO).code == "which-stack"
    assert isinstance(ask(written, "/diff staging 1 2 infra", TWO), StateComparison)
    assert ask(written, "/diff staging net", TWO).code == "too-few"


def test_a_state_that_cannot_be_looked_into(written: Context) -> None:
    data = state(6, encrypted_data="x")
    with written.store.begin() as tables:
        tables.states.append(HERE.key, data, StateInfo.parse(data))
    assert ask(written, "/diff staging").code == "unreadable"


def test_history_tells_releases_and_damage(written: Context) -> None:
    with written.store.begin() as tables:
        tables.states.released(HERE.key, "r5", "release-5")
        tables.releases.add(
            Release(
                "release-5", HERE, "r5", "d", "c", 1, Actor("ann"), 5, written.now(), verification="passed"
            )
        )
        versions = tables.states.versions(HERE.key, 9)
        connection = tables.connection
        connection.execute(
            state_deltas.update().where(state_deltas.c.state_id == versions[1].id).values(file=b"x")
        )
    found = ask(written, "/history staging")
    assert isinstance(found, History)
    assert [version.serial for version in found.versions] == [5, 2, 1]
    assert [version.outputs for version in found.versions] == [2, 2, 2]
    assert found.releases["release-5"].verification == "passed"
    assert found.damaged == {version.id for version in versions[:2]}
    with pytest.raises(StateDamaged, match="serial 2 of staging"):
        ask(written, "/diff staging 2 1")
