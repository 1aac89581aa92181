"""Real Terraform on the built-in backend, over HTTP on loopback."""

from __future__ import annotations

import json
import threading
import time
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from starlette.applications import Starlette

from bot.domain.policy.model import Policy
from bot.domain.ports.state import Grant
from bot.domain.ports.terraform import CommandResult, InitResult
from bot.domain.states.model import LockInfo
from bot.domain.target import Target
from bot.errors import UserError
from bot.state import Backend, Backends
from bot.state.routes import routes
from tests.contract.state_store import MemoryStates
from tests.integration.state.conftest import Directory, served
from tests.integration.state.policies import policy

TARGET = Target("acme/infra", "infra", "test", "pr-42")


@pytest.fixture
def backends(states: MemoryStates, base_url: str, tmp_path: Path) -> Backends:
    return Backends(states, base_url=base_url, directory=tmp_path / "private")


def issue(states: MemoryStates, user: str, *, write: bool = True, target: Target = TARGET) -> tuple[str, str]:
    grant = Grant(target.key, user, write, datetime.now(UTC) + timedelta(hours=1), commit="c1", actor="ann")
    with states.begin() as tables:
        tables.credentials.issue(user, f"secret-of-{user}", grant)
    return user, f"secret-of-{user}"


def made(backends: Backends, states: MemoryStates, path: Path, user: str, *, write: bool = True) -> Directory:
    credential = issue(states, user, write=write)
    directory = Directory.make(path, backends.backend(TARGET, policy(), "http", credential))
    directory.init()
    return directory


def read_back(directory: Directory) -> InitResult:
    kept = json.loads((directory.path / ".terraform/terraform.tfstate").read_text())["backend"]
    return InitResult(CommandResult(0, ""), kept["type"], kept["config"])


def test_applies_are_recorded(backends: Backends, states: MemoryStates, tmp_path: Path) -> None:
    directory = made(backends, states, tmp_path / "one", "r1")
    assert backends.current(TARGET, directory.backend) is None
    directory.apply()
    directory.change("second")
    directory.apply()
    newest, oldest = states.versions(TARGET.key, 9)[0], states.versions(TARGET.key, 9)[-1]
    assert newest.serial > oldest.serial
    assert newest.lineage == oldest.lineage
    assert (newest.run_id, newest.commit, newest.actor, newest.resources) == ("r1", "c1", "ann", 1)
    assert b"second" in (backends.current(TARGET, backends.restore(vars(directory.backend))) or b"")
    assert states.locked(TARGET.key) is None
    assert "secret-of-r1" not in (directory.path / ".terraform/terraform.tfstate").read_text()


def test_a_reader_plans_and_does_not_apply(backends: Backends, states: MemoryStates, tmp_path: Path) -> None:
    made(backends, states, tmp_path / "one", "r1").apply()
    reader = made(backends, states, tmp_path / "two", "r2", write=False)
    assert "No changes" in reader.run("plan", "-no-color", "-lock=false")
    reader.change("second")
    assert "invalid auth" in reader.apply(ok=False)
    stranger = replace(reader, env={**reader.env, "TF_HTTP_PASSWORD": "wrong"})
    assert "requires auth" in stranger.run("plan", "-no-color", "-lock=false", ok=False)


def test_a_held_lock_is_told_and_can_be_forced(
    backends: Backends, states: MemoryStates, tmp_path: Path
) -> None:
    directory = made(backends, states, tmp_path / "one", "r1")
    states.lock(
        TARGET.key,
        LockInfo("b0b", "OperationTypeApply", who="bob@host", created="2026-11-23T10:00:00Z"),
        "r2",
    )
    told = directory.apply(ok=False)
    assert "Error acquiring the state lock" in told
    assert (
        "already locked: ID=b0b" in told
    )  # the rest that Terraform prints here is its own lock, not the holder's
    directory.run("force-unlock", "-force", "b0b")
    directory.apply()


def test_a_state_of_another_lineage_is_refused(
    backends: Backends, states: MemoryStates, tmp_path: Path
) -> None:
    directory = made(backends, states, tmp_path / "one", "r1")
    directory.apply()
    pulled = json.loads(directory.run("state", "pull"))
    for change in ({"lineage": "another", "serial": 99}, {"serial": pulled["serial"] - 1, "outputs": {}}):
        (directory.path / "push.json").write_text(json.dumps({**pulled, **change}))
        directory.run("state", "push", "-force", "push.json", ok=False)
    (directory.path / "push.json").write_text(json.dumps({**pulled, "serial": 50}))
    directory.run("state", "push", "push.json")
    assert states.versions(TARGET.key, 1)[0].serial == 51  # a push counts one up


def test_an_apply_outlives_a_restart_of_the_backend(states: MemoryStates, tmp_path: Path) -> None:
    app = Starlette(routes=routes(Backend(states)))
    with served(app) as url:
        directory = made(Backends(states, base_url=url, directory=tmp_path), states, tmp_path / "one", "r1")
        (directory.path / "slow.tf").write_text(
            'resource "terraform_data" "slow" {\n  provisioner "local-exec" {\n    command = "touch begun; while [ ! -e go ]; do sleep 0.1; done"\n  }\n}\n'
        )
        applying = threading.Thread(target=directory.apply)
        applying.start()
        while not (directory.path / "begun").exists():
            time.sleep(0.05)
    (directory.path / "go").touch()
    time.sleep(1)
    with served(app, int(url.rpartition(":")[2])):
        applying.join()
        assert states.versions(TARGET.key, 1)[0].resources == 2
    assert not (directory.path / "errored.tfstate").exists()


@pytest.mark.parametrize("field", ["address", "lock_address", "unlock_address"])
def test_the_proof_is_of_the_address(
    backends: Backends, states: MemoryStates, tmp_path: Path, field: str
) -> None:
    directory = made(backends, states, tmp_path / "one", "r1")
    found = read_back(directory)
    backends.prove(directory.backend, found)
    other = replace(
        directory.backend, config={**directory.backend.config, field: "http://127.0.0.1/state/other"}
    )
    with pytest.raises(UserError, match=f"`{field}` should be"):
        backends.prove(other, found)
    with pytest.raises(UserError, match="`kind` should be"):
        backends.prove(directory.backend, replace(found, kind="local"))
    with pytest.raises(UserError, match=r"`address` should be .*, but init used `None`"):
        backends.prove(directory.backend, replace(found, config={}))


def test_every_target_has_an_address_of_its_own(backends: Backends) -> None:
    targets = [
        TARGET,
        replace(TARGET, instance="pr-43"),
        replace(TARGET, instance=""),
        replace(TARGET, environment="prod", instance=""),
        replace(TARGET, stack="net work"),
    ]
    addresses = [backends.address(target) for target in targets]
    assert len(set(addresses)) == len(addresses)
    assert addresses[0].endswith("/state/acme/infra/infra/test/pr-42")


def test_a_block_of_another_kind_is_refused(backends: Backends) -> None:
    for declared in ("local", "gcs", "remote"):
        with pytest.raises(UserError, match=f'`infra` has a `backend "{declared}"` block'):
            backends.backend(TARGET, policy(), declared, ("r1", "x"))
    with pytest.raises(UserError, match="belongs in the s3 backend"):
        backends.backend(TARGET, policy(kind="s3", bucket="states"), "http", ("r1", "x"))
    wanted: Policy = policy(kind="http")
    assert backends.backend(TARGET, wanted, "", ("r1", "x")).declared is False
