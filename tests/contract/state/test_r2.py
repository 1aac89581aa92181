"""What Towpath and Terraform's s3 backend need of R2: held against a stand-in, and against a real bucket if the
environment names one (`TOWPATH_TEST_R2_ENDPOINT_URL`, `_BUCKET`, `_ACCESS_KEY_ID`, `_SECRET_ACCESS_KEY`)."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from pathlib import Path

import boto3
import httpx
import pytest

from bot.domain.policy import BackendPolicy
from bot.domain.ports.state import StateLocation
from bot.domain.states import LockInfo, StateInfo, StateRefused
from bot.domain.target import Target
from bot.errors import UserError
from bot.state import Backends
from bot.state.bucket import Bucket
from tests.contract.state.r2 import R2, real, stand_in
from tests.contract.state_store import MemoryStates, state
from tests.integration.state.conftest import Directory
from tests.integration.state.policies import policy

STAGING, TEST = Target("acme/infra", "infra", "staging"), Target("acme/infra", "infra", "test", "pr-42")
LOCK = LockInfo("1", "OperationTypeApply", who="ann@laptop", created="2026-11-23T10:00:00Z")


@pytest.fixture(scope="module", params=["stand-in", "real"] if real() else ["stand-in"])
def _r2(request: pytest.FixtureRequest, s3_endpoint: str) -> Iterator[R2]:
    if request.param == "real" and (given := real()):
        yield given
        return
    boto3.client(
        "s3",
        endpoint_url=s3_endpoint,
        region_name="us-east-1",
        aws_access_key_id="k",
        aws_secret_access_key="s",
    ).create_bucket(Bucket="states-r2")
    with stand_in(s3_endpoint) as found:
        yield found


@pytest.fixture
def r2(_r2: R2) -> Iterator[R2]:
    """A bucket on R2. What the test leaves in it is deleted."""
    with _r2.begun() as found:
        yield found


@pytest.fixture
def backends(r2: R2, tmp_path: Path) -> Backends:
    return Backends(
        MemoryStates(),
        base_url="http://127.0.0.1:1",
        directory=tmp_path / "private",
        defaults=BackendPolicy(bucket=r2.name, endpoint=r2.endpoint),
        keys=r2.keys,
    )


def place(r2: R2, backends: Backends, target: Target = STAGING) -> StateLocation:
    rules = policy(kind="s3", key=f"{r2.prefix}/{{env}}/terraform.tfstate")
    return backends.location(target, backends.backend(target, rules, "", ("", "")))


def test_an_object_is_created_once(r2: R2) -> None:
    bucket, buckets, key = r2.bucket, r2.buckets, f"{r2.prefix}/a"
    assert buckets.get(bucket, key) is None
    assert buckets.put(bucket, key, b"1", instead_of=None)
    assert not buckets.put(bucket, key, b"2", instead_of=None)
    found = buckets.get(bucket, key)
    assert found is not None
    assert found[0] == b"1"


def test_a_write_names_what_it_replaces(r2: R2) -> None:
    bucket, buckets, key = r2.bucket, r2.buckets, f"{r2.prefix}/a"
    buckets.put(bucket, key, b"1", instead_of=None)
    found = buckets.get(bucket, key)
    assert found is not None
    assert buckets.put(bucket, key, b"2", instead_of=found[1])
    assert not buckets.put(bucket, key, b"3", instead_of=found[1])
    now = buckets.get(bucket, key)
    assert now is not None
    assert (now[0], now[1] != found[1]) == (b"2", True)


@pytest.mark.parametrize("exists", [False, True])
def test_of_many_writes_at_once_one_wins(r2: R2, *, exists: bool) -> None:
    bucket, buckets, key, etag = r2.bucket, r2.buckets, f"{r2.prefix}/a", None
    if exists:
        buckets.put(bucket, key, b"0", instead_of=None)
        found = buckets.get(bucket, key)
        assert found is not None
        etag = found[1]
    start, won = threading.Barrier(8), []

    def write(number: int) -> None:
        start.wait(30)
        if buckets.put(bucket, key, str(number).encode() * 100, instead_of=etag):
            won.append(number)

    threads = [threading.Thread(target=write, args=(number,)) for number in range(1, 9)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    now = buckets.get(bucket, key)
    assert now is not None
    assert [str(number).encode() * 100 for number in won] == [now[0]]


def test_the_life_of_a_state(r2: R2, backends: Backends) -> None:
    """Locked, written twice, released; without versions of the bucket, and without anything else that R2 lacks."""
    here = place(r2, backends)
    assert (here.read(), here.held(), here.lock(LOCK)) == (None, None, None)
    assert here.lock(LockInfo("2")) == LOCK
    here.write(state(1), "1")
    here.write(state(2), "1")
    with pytest.raises(StateRefused, match="serial"):
        here.write(state(1), "1")
    assert here.read() == state(2)
    assert r2.names() == ["staging/terraform.tfstate", "staging/terraform.tfstate.tflock"]
    assert not here.unlock("2"), "only its own id releases a lock, whatever DeleteObject makes of a condition"
    assert here.held() == LOCK
    assert here.unlock("1")
    assert (here.held(), r2.names()) == (None, ["staging/terraform.tfstate"])
    assert r2.refused == []


def test_the_region_is_auto(r2: R2) -> None:
    for region in ("auto", "us-east-1"):
        assert r2.buckets.get(Bucket(r2.name, r2.endpoint, region), f"{r2.prefix}/a") is None
    with pytest.raises(UserError, match="Cannot access the bucket"):
        r2.buckets.put(Bucket(r2.name, r2.endpoint, "eu-west-1"), f"{r2.prefix}/a", b"", instead_of=None)


def test_terraform_keeps_its_states_there(r2: R2, backends: Backends, terraform: str, tmp_path: Path) -> None:
    """With the settings that `init` gets from the bot: region, lock file and checksums as R2 takes them."""
    assert terraform
    for target in (STAGING, TEST):
        rules = policy(kind="s3", key=f"{r2.prefix}/{{env}}/terraform.tfstate")
        backend = backends.backend(target, rules, "s3", ("", ""))
        assert backend.config["region"] == "auto"
        env = {"TF_WORKSPACE": target.instance} if target.instance else {}
        directory = Directory.make(tmp_path / target.environment, backend, env)
        directory.init()
        directory.apply()
        directory.change("second")
        directory.apply()
        here = place(r2, backends, target)
        data = here.read()
        assert data
        assert StateInfo.parse(data).resources == 1
        assert here.lock(LOCK) is None
        assert "ann@laptop" in directory.apply(ok=False)
        assert here.read() == data
        assert here.unlock("1")
    assert r2.names() == ["env:/pr-42/test/terraform.tfstate", "staging/terraform.tfstate"]
    assert r2.refused == []


def test_the_stand_in_refuses_what_r2_lacks(s3_endpoint: str) -> None:
    """Otherwise the tests above would prove nothing."""
    scope = {"Authorization": "AWS4-HMAC-SHA256 Credential=k/20261201/{}/s3/aws4_request, Signature=x"}
    with stand_in(s3_endpoint) as found:
        for region, path, more, status in (
            ("auto", "/states-r2?versioning", {}, 501),
            ("auto", "/states-r2/a", {"x-amz-acl": "private"}, 501),
            ("auto", "/states-r2/a", {"x-amz-trailer": "x-amz-checksum-crc32"}, 501),
            ("eu-west-1", "/states-r2/a", {}, 400),
            ("auto", "/", {}, 200),
        ):
            headers = {name: value.format(region) for name, value in scope.items()} | more
            assert httpx.get(found.endpoint + path, headers=headers).status_code == status
        assert len(found.refused) == 4
