"""The reaction on a comment with several commands shows the most telling of their ends."""

from __future__ import annotations

from typing import Any

import pytest

from bot.domain.run import Origin
from bot.services.context import Context
from bot.services.runs.reactions import react, react_to_end
from tests.integration.storage import samples

COMMENT = Origin(delivery="d", comment=55)


def shown(context: Context) -> dict[str, Any] | None:
    with context.store.read() as tables:
        found = tables.surfaces.get("reaction:acme/infra/55")
    return found.wanted if found else None


def want(context: Context, reaction: str, origin: Origin = COMMENT) -> None:
    with context.store.begin() as tables:
        react(context, tables, origin, "acme/infra", 7, reaction)


@pytest.mark.parametrize(
    ("said", "stands"),
    [
        (["eyes"], "eyes"),
        (["eyes", "+1"], "+1"),
        (["eyes", "+1", "rocket"], "rocket"),
        (["rocket", "eyes"], "rocket"),
        (["-1", "rocket"], "-1"),
        (["rocket", "-1"], "-1"),
        (["+1", "eyes"], "+1"),
    ],
)
def test_the_most_telling_one_stands(context: Context, said: list[str], stands: str) -> None:
    for reaction in said:
        want(context, reaction)
    assert shown(context) == {"comment": 55, "reaction": stands}


def test_what_came_from_elsewhere_gets_none(context: Context) -> None:
    want(context, "eyes", Origin(delivery="d", channel="C1", user="U1"))
    with context.store.read() as tables:
        assert tables.surfaces.of_pull("acme/infra", 7) == []


def test_it_is_due_at_once(context: Context) -> None:
    want(context, "eyes")
    with context.store.read() as tables:
        found = tables.surfaces.get("reaction:acme/infra/55")
    assert found is not None
    assert (found.due_at, found.repository, found.pull) == (context.now(), "acme/infra", 7)


@pytest.mark.parametrize(
    ("outcome", "reaction"),
    [
        ("applied", "rocket"),
        ("planned", "+1"),
        ("superseded", "+1"),
        ("failed", "-1"),
        ("refused", "-1"),
        ("interrupted", "-1"),
        ("timed_out", "-1"),
        ("cancelled", "-1"),
    ],
)
def test_the_end_of_a_run(context: Context, outcome: str, reaction: str) -> None:
    with context.store.begin() as tables:
        react_to_end(context, tables, samples.run(origin=COMMENT), outcome)
    assert shown(context) == {"comment": 55, "reaction": reaction}
