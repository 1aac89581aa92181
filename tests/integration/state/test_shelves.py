"""Locking and writing one target's state where it is kept: the same rules in the bot's tables and in a bucket."""

from __future__ import annotations

import json
import threading
from dataclasses import replace
from pathlib import Path

import boto3
import pytest

from bot.domain.policy import BackendPolicy
from bot.domain.ports.state import Author, StateLocation
from bot.domain.states.model import LockInfo, StateInfo, StateRefused
from bot.domain.target import Target
from bot.state import Backends
from bot.state.bucket import Bucket, Keys
from tests.contract.state_store import MemoryStates, state
from tests.integration.state.conftest import Directory
from tests.integration.state.policies import policy

STAGING = Target("acme/infra", "infra", "staging")
RESOURCE = {
    "mode": "managed",
    "type": "t",
    "name": "n",
    "provider": "p",
    "instances": [{"attributes": {"id": "x"}}],
}
KEY = "staging/terraform.tfstate"


@pytest.fixture
def backends(endpoint: str, tmp_path: Path) -> Backends:
    made = boto3.client(
        "s3", endpoint_url=endpoint, region_name="us-east-1", aws_access_key_id="x", aws_secret_access_key="x"
    )
    made.create_bucket(Bucket="shelves")
    for item in made.list_objects_v2(Bucket="shelves").get("Contents", []):
        made.delete_object(Bucket="shelves", Key=item["Key"])
    return Backends(
        MemoryStates(),
        base_url="http://127.0.0.1:1",
        directory=tmp_path / "private",
        defaults=BackendPolicy(bucket="shelves", endpoint=endpoint),
        keys=Keys("STATEKEY", "state-secret"),
    )


@pytest.fixture(params=["http", "s3"])
def place(request: pytest.FixtureRequest, backends: Backends) -> StateLocation:
    backend = backends.backend(STAGING, policy(kind=request.param), "", ("", ""))
    return backends.location(STAGING, backend, Author("r1", "c1", "ann"))


def test_a_state_is_written_under_its_lock(place: StateLocation) -> None:
    assert (place.read(), place.held()) == (None, None)
    with pytest.raises(StateRefused, match="not held"):
        place.write(state(1), "1")
    assert place.lock(LockInfo("1", who="ann")) is None
    assert place.lock(LockInfo("1", who="ann")) is None
    place.write(state(1), "1")
    place.write(state(1), "1")
    place.write(state(2), "1")
    assert place.read() == state(2)
    present = place.lock(LockInfo("2", who="bob"))
    assert present is not None
    assert (present.id, present.who) == ("1", "ann")
    with pytest.raises(StateRefused, match="held"):
        place.write(state(3), "2")
    assert not place.unlock("2")
    assert place.unlock("1")
    assert place.unlock("1")
    assert place.held() is None


@pytest.mark.parametrize(
    ("data", "why"),
    [(state(4), "serial"), (state(5, outputs={"x": {}}), "serial"), (state(6, "two"), "lineage")],
)
def test_what_may_not_follow_is_refused(place: StateLocation, data: bytes, why: str) -> None:
    place.lock(LockInfo("1"))
    place.write(state(5), "1")
    with pytest.raises(StateRefused, match=why):
        place.write(data, "1")
    assert place.read() == state(5)


def test_one_of_many_takes_the_lock(place: StateLocation) -> None:
    def take(number: int) -> None:
        if place.lock(LockInfo(str(number))) is None:
            won.append(number)

    won: list[int] = []
    threads = [threading.Thread(target=take, args=(number,)) for number in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(won) == 1


def test_a_lock_is_freed_only_as_it_was_seen(backends: Backends, endpoint: str) -> None:
    """Between the look and the deletion another one may have taken it."""
    bucket = Bucket("shelves", endpoint, "auto")
    buckets, name = backends.buckets, f"{KEY}.tflock"
    assert buckets.put(bucket, name, b'{"ID": "1"}', instead_of=None)
    assert not buckets.put(bucket, name, b'{"ID": "2"}', instead_of=None)
    found = buckets.get(bucket, name)
    assert found is not None
    assert buckets.put(bucket, name, b'{"ID": "2"}', instead_of=found[1])
    assert not buckets.delete(bucket, name, found[1])
    assert not buckets.put(bucket, name, b'{"ID": "3"}', instead_of=found[1])
    found = buckets.get(bucket, name)
    assert found is not None
    assert found[0] == b'{"ID": "2"}'
    assert buckets.delete(bucket, name, found[1])


def test_a_lock_file_that_nobody_can_read(backends: Backends, endpoint: str) -> None:
    place = backends.location(STAGING, backends.backend(STAGING, policy(kind="s3"), "", ("", "")))
    bucket = Bucket("shelves", endpoint, "auto")
    assert backends.buckets.put(bucket, f"{KEY}.tflock", b"", instead_of=None)
    present = place.lock(LockInfo("1"))
    assert present is not None
    assert present.id.startswith("unreadable-")
    assert place.unlock(present.id)


def test_terraform_and_the_bot_mean_the_same_lock(backends: Backends, tmp_path: Path) -> None:
    """Terraform waits for the bot's lock, and goes on from what the bot wrote."""
    backend = backends.backend(STAGING, policy(kind="s3"), "s3", ("", ""))
    directory = Directory.make(tmp_path / "one", backend)
    directory.init()
    directory.apply()
    place = backends.location(STAGING, backend)
    assert place.held() is None
    assert (
        place.lock(LockInfo("1", "push-state", who="ann by Towpath", created="2026-11-23T10:00:00Z")) is None
    )
    directory.change("second")
    told = directory.apply(ok=False)
    assert "ann by Towpath" in told
    data = place.read()
    assert data is not None
    pushed = json.dumps({**json.loads(data), "serial": 40}).encode()
    place.write(pushed, "1")
    assert place.unlock("1")
    directory.apply()
    found = place.read()
    assert found is not None
    assert StateInfo.parse(found).serial > 40


def test_only_an_empty_state_that_nobody_has_locked_is_discarded(backends: Backends) -> None:
    backend = backends.backend(STAGING, policy(kind="s3"), "", ("", ""))
    place = backends.location(STAGING, backend)
    assert backends.discard(STAGING, backend), "there is none"
    place.lock(LockInfo("1"))
    encrypted = json.dumps({"serial": 1, "lineage": "one", "encrypted_data": "x"}).encode()
    made = json.loads(state(1)) | {"resources": [RESOURCE]}
    for kept in (encrypted, json.dumps(made).encode()):
        bucket = Bucket("shelves", json.loads(backend.config["endpoints"])["s3"], "auto")
        found = backends.buckets.get(bucket, KEY)
        assert backends.buckets.put(bucket, KEY, kept, instead_of=found[1] if found else None)
        place.unlock("1")
        assert not backends.discard(STAGING, backend)
        assert place.read() == kept
        place.lock(LockInfo("1"))
    found = backends.buckets.get(bucket, KEY)
    assert found is not None
    assert backends.buckets.put(bucket, KEY, state(2), instead_of=found[1])
    assert not backends.discard(STAGING, backend), "locked"
    place.unlock("1")
    assert backends.discard(STAGING, backend)
    assert place.read() is None


def test_the_instances_in_a_bucket_are_those_of_the_stack_and_the_environment(backends: Backends) -> None:
    rules = policy(kind="s3")
    ci = replace(rules.environments["staging"], name="ci", instance="pr-{pr}")
    rules = replace(rules, environments={**rules.environments, "ci": ci})
    bucket = Bucket(
        "shelves",
        json.loads(backends.backend(STAGING, rules, "", ("", "")).config["endpoints"])["s3"],
        "auto",
    )
    for name in ("env:/pr-7/ci", "env:/pr-12/ci", "env:/pr-9/test", "env:/mine/ci", "ci"):
        assert backends.buckets.put(bucket, f"{name}/terraform.tfstate", state(1), instead_of=None)
    assert backends.buckets.put(bucket, "env:/pr-8/ci/terraform.tfstate.tflock", b"{}", instead_of=None)
    environment = Target("acme/infra", "infra", "ci")
    assert [one.instance for one in backends.instances(environment, rules)] == ["pr-12", "pr-7"]
    assert backends.instances(environment, replace(rules, stacks=policy(kind="http").stacks)) == []
