"""Instances whose states are in a bucket: found without a record, never taken for empty, and deleted in the end."""

from __future__ import annotations

from dataclasses import replace
from types import SimpleNamespace
from typing import Any

import pytest

from bot.domain.policy import parse_policy
from bot.domain.target import Target
from bot.errors import TransientError, UserError
from bot.services.context import Context
from bot.services.previews import adopt_from_buckets, bucket_leftovers, destroy, forget_ended_instances
from tests.unit.services.conftest import NOW, Clock
from tests.unit.services.test_previews import PLAN, POLICY, TARGET, Previews


@pytest.fixture
def previews(context: Context, monkeypatch: pytest.MonkeyPatch) -> Previews:
    return Previews(context, monkeypatch)


@pytest.mark.parametrize(
    ("data", "left"),
    [
        (None, 0),
        (b'{"serial": 1, "lineage": "l", "resources": []}', 0),
        (b'{"serial": 1, "lineage": "l", "encrypted_data": "x"}', None),
    ],
)
def test_an_encrypted_state_does_not_count_as_an_empty_one(
    previews: Previews, data: bytes | None, left: int | None
) -> None:
    """An empty one is destroyed without Terraform."""
    where = SimpleNamespace(restore=lambda settings: settings, current=lambda *_facts: data)
    ports: Any = {"backends": where}
    with previews.context.store.begin() as tables:
        tables.plans.add(PLAN, b"")
    assert destroy._resources_left(replace(previews.context, **ports), TARGET, 7) == left


@pytest.mark.parametrize(
    ("answer", "left"), [(True, 0), (False, 0), (UserError("denied"), 0), (TransientError("away"), 1)]
)
def test_a_state_in_a_bucket_goes_with_its_instance(
    previews: Previews, clock: Clock, answer: bool | Exception, left: int
) -> None:
    """Unless the bucket does not answer: then it is tried again."""
    asked: list[Target] = []

    class Buckets:
        def restore(self, settings: object) -> object:
            return settings

        def discard(self, target: Target, _backend: object) -> bool:
            asked.append(target)
            if isinstance(answer, Exception):
                raise answer
            return answer

    ports: Any = {"backends": Buckets()}
    gone = replace(previews.now, wanted="gone", state="gone", ended_at=NOW)
    with previews.context.store.begin() as tables:
        tables.instances.save(gone)
        tables.plans.add(replace(PLAN, backend={"kind": "s3", "config": {}}), b"")
    clock.pass_by(days=31)
    forget_ended_instances(replace(previews.context, **ports), 10)
    assert asked == [TARGET]
    with previews.context.store.read() as tables:
        assert (tables.instances.get(TARGET) is not None) == bool(left)


@pytest.mark.parametrize(
    ("name", "data", "pull", "adopted", "discarded"),
    [
        (
            "pr-9",
            b'{"serial": 1, "lineage": "l", "resources": [{"mode": "managed", "instances": [{}]}]}',
            "closed",
            True,
            False,
        ),
        ("pr-9", b'{"serial": 1, "lineage": "l", "encrypted_data": "x"}', "closed", True, False),
        ("pr-9", b'{"serial": 1, "lineage": "l", "resources": []}', "closed", False, True),
        ("pr-9", b'{"serial": 1, "lineage": "l", "resources": []}', "open", False, False),
        ("pr-9", b"not a state", "closed", False, False),
        ("pr-09", b'{"serial": 1, "lineage": "l", "encrypted_data": "x"}', "closed", False, False),
        ("pr-7", b'{"serial": 1, "lineage": "l", "encrypted_data": "x"}', "open", False, False),
    ],
)
def test_what_is_in_a_bucket_without_a_record(
    previews: Previews,
    monkeypatch: pytest.MonkeyPatch,
    name: str,
    data: bytes,
    pull: str,
    adopted: bool,
    discarded: bool,
) -> None:
    previews.state = pull
    found, gone = replace(TARGET, instance=name), list[Target]()
    where = SimpleNamespace(
        instances=lambda target, _policy: [found] if target.environment == "test" else [],
        backend=lambda *_facts: None,
        current=lambda *_facts: data,
        discard=lambda target, _backend: gone.append(target),
    )
    ports: Any = {"backends": where}
    monkeypatch.setattr(bucket_leftovers, "default_policy", lambda *_facts: parse_policy(POLICY, "policy"))
    assert adopt_from_buckets(replace(previews.context, **ports)) == adopted
    assert bool(gone) == discarded
    with previews.context.store.read() as tables:
        row = tables.instances.get(found)
    assert (row is not None) == (adopted or name == "pr-7")
