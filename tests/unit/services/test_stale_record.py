"""The record beside a bucket: what is newer there is recorded and told, what is older or another stops the run."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import pytest

from bot.domain.ports.state import Author
from bot.domain.ports.terraform import Backend
from bot.domain.run import Run
from bot.domain.states.model import StateInfo
from bot.domain.target import Target
from bot.errors import UserError
from bot.services.context import Context
from bot.services.states.reconcile import reconcile_state
from tests.contract.state_store import state

HERE = Target("acme/infra", "infra", "staging")
S3 = Backend("s3", {"bucket": "b", "key": "k"})
WEB = {"mode": "managed", "type": "x", "name": "web", "instances": [{}]}


@dataclass
class Bucket:
    """A backend with one state."""

    data: bytes | None = None

    def current(self, _target: Target, _backend: Backend) -> bytes | None:
        return self.data


def full(serial: int, lineage: str = "one", **more: Any) -> bytes:
    return state(serial, lineage, resources=[WEB], **more)


@pytest.fixture
def bucket(context: Context) -> tuple[Context, Bucket]:
    made: Any = Bucket()
    context = replace(context, backends=made)
    with context.store.begin() as tables:
        tables.states.append(HERE.key, full(5), StateInfo.parse(full(5)), Author("r1", actor="ann"))
    return context, made


def serials(context: Context) -> list[int]:
    with context.store.read() as tables:
        return [version.serial for version in tables.states.versions(HERE.key, 9)]


def test_the_same_state_says_nothing(bucket: tuple[Context, Bucket]) -> None:
    context, there = bucket
    there.data = full(5)
    assert reconcile_state(context, HERE, S3) == ""
    assert serials(context) == [5]


def test_a_newer_one_is_recorded_and_told_once(bucket: tuple[Context, Bucket]) -> None:
    context, there = bucket
    there.data = full(8)
    said = reconcile_state(context, HERE, S3)
    assert "serial 8" in said
    assert "`/diff staging`" in said
    assert reconcile_state(context, HERE, S3) == ""
    with context.store.read() as tables:
        newest = tables.states.newest(HERE.key)
    assert newest is not None
    assert (newest.serial, newest.actor, newest.run_id) == (8, "", "")


def test_an_apply_that_writes_records_by_itself(bucket: tuple[Context, Bucket]) -> None:
    context, there = bucket
    there.data = full(8)
    with context.store.begin() as tables:
        tables.runs.add(Run("r2", "apply", HERE, 1, "c", phase="applying"))
    assert reconcile_state(context, HERE, S3) == ""
    assert serials(context) == [5]


@pytest.mark.parametrize(
    ("data", "why"),
    [
        (full(4), "has serial 4"),
        (full(9, "two"), "lineage two"),
        (full(5, outputs={"a": {}}), "other content"),
        (None, "the backend has none"),
    ],
)
def test_an_older_or_another_one_stops_the_run(
    bucket: tuple[Context, Bucket], data: bytes | None, why: str
) -> None:
    context, there = bucket
    there.data = data
    with pytest.raises(UserError, match=why) as refused:
        reconcile_state(context, HERE, S3)
    assert "towpath state verify acme/infra:infra:staging" in refused.value.next_step
    assert serials(context) == [5]


def test_a_state_from_before_the_bot_is_recorded(bucket: tuple[Context, Bucket]) -> None:
    context, there = bucket
    other = replace(HERE, environment="prod")
    there.data = full(3)
    assert "serial 3" in reconcile_state(context, other, S3)
    assert reconcile_state(context, other, S3) == ""


def test_an_empty_first_state_is_no_news(bucket: tuple[Context, Bucket]) -> None:
    context, there = bucket
    there.data = state(1)
    assert reconcile_state(context, replace(HERE, environment="ci"), S3) == ""
    there.data = None
    assert reconcile_state(context, replace(HERE, environment="dev"), S3) == ""


def test_the_built_in_backend_is_the_record(context: Context) -> None:
    assert reconcile_state(context, HERE, Backend("http", {})) == ""
