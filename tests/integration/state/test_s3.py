"""Real Terraform on the s3 backend, against moto as a server on loopback."""

from __future__ import annotations

import json
import socket
from dataclasses import replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import TYPE_CHECKING

import boto3
import pytest

from bot.domain.policy import BackendPolicy
from bot.domain.ports.terraform import CommandResult, InitResult
from bot.domain.states.model import LockInfo, StateInfo
from bot.domain.target import Target
from bot.errors import TransientError, UserError
from bot.state import Backends
from bot.state.bucket import Bucket, Buckets, Keys
from tests.contract.state_store import MemoryStates
from tests.integration.state.conftest import Directory
from tests.integration.state.policies import policy

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

TEST, STAGING = Target("acme/infra", "infra", "test", "pr-42"), Target("acme/infra", "infra", "staging")
KEYS = Keys("STATEKEY", "state-secret")
PROVIDER = {
    "AWS_ACCESS_KEY_ID": "PROVIDERKEY",
    "AWS_SECRET_ACCESS_KEY": "provider-secret",
    "AWS_REGION": "eu-west-1",
}


@pytest.fixture
def client(endpoint: str) -> S3Client:
    """With an empty bucket `states`."""
    made = boto3.client(
        "s3", endpoint_url=endpoint, region_name="us-east-1", aws_access_key_id="x", aws_secret_access_key="x"
    )
    made.create_bucket(Bucket="states")
    for item in made.list_objects_v2(Bucket="states").get("Contents", []):
        made.delete_object(Bucket="states", Key=item["Key"])
    return made


@pytest.fixture
def backends(endpoint: str, client: S3Client, tmp_path: Path) -> Backends:
    return Backends(
        MemoryStates(),
        base_url="http://127.0.0.1:1",
        directory=tmp_path / "private",
        defaults=BackendPolicy(bucket="states", endpoint=endpoint),
        keys=KEYS,
    )


def made(backends: Backends, path: Path, target: Target) -> Directory:
    backend = backends.backend(target, policy(kind="s3"), "s3", ("", ""))
    env = {**PROVIDER, **({"TF_WORKSPACE": target.instance} if target.instance else {})}
    directory = Directory.make(path, backend, env)
    directory.init()
    return directory


def read_back(directory: Directory) -> InitResult:
    kept = json.loads((directory.path / ".terraform/terraform.tfstate").read_text())["backend"]
    return InitResult(CommandResult(0, ""), kept["type"], kept["config"])


def test_states_lie_where_the_policy_says(backends: Backends, client: S3Client, tmp_path: Path) -> None:
    for target, name in {
        TEST: "env:/pr-42/test/terraform.tfstate",
        STAGING: "staging/terraform.tfstate",
    }.items():
        directory = made(backends, tmp_path / target.environment, target)
        backends.prove(directory.backend, read_back(directory))
        empty = backends.current(
            target, directory.backend
        )  # a new workspace begins with a state without resources
        assert (StateInfo.parse(empty).resources if empty else None) == (0 if target.instance else None)
        directory.apply()
        data = backends.current(target, directory.backend)
        assert data
        assert StateInfo.parse(data).resources == 1
        assert client.get_object(Bucket="states", Key=name)["Body"].read() == data
        restored = backends.restore({"kind": "s3", "config": dict(directory.backend.config)})
        assert backends.current(target, restored) == data
    assert not list((tmp_path / "test").glob("**/credentials"))
    private = tmp_path / "private/s3-credentials"
    assert private.stat().st_mode & 0o077 == 0


def test_a_held_lock_is_told(backends: Backends, client: S3Client, endpoint: str, tmp_path: Path) -> None:
    directory = made(backends, tmp_path / "test", TEST)
    lock = {
        "ID": "b0b",
        "Operation": "OperationTypeApply",
        "Who": "bob@host",
        "Created": "2026-11-23T10:00:00Z",
    }
    name = "env:/pr-42/test/terraform.tfstate"
    client.put_object(Bucket="states", Key=f"{name}.tflock", Body=json.dumps(lock).encode())
    told = directory.apply(ok=False)
    assert "bob@host" in told
    location = backends.location(TEST, directory.backend)
    held = location.held()
    assert held
    assert (held.id, held.who) == ("b0b", "bob@host")
    assert location.lock(LockInfo("own")) == held
    directory.run("force-unlock", "-force", "b0b")
    directory.apply()
    assert location.held() is None
    assert backends.buckets.get(Bucket("states", endpoint, "auto"), f"{name}.tflock") is None


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("bucket", "others"),
        ("key", "prod/terraform.tfstate"),
        ("region", "eu-west-1"),
        ("endpoints", '{"s3": "http://127.0.0.1:1"}'),
        ("use_lockfile", "false"),
        ("shared_credentials_files", "[]"),
    ],
)
def test_the_proof_names_what_differs(backends: Backends, tmp_path: Path, field: str, value: str) -> None:
    backend = backends.backend(STAGING, policy(kind="s3"), "", ("", ""))
    found = _found(backend.config)
    backends.prove(backend, found)
    with pytest.raises(UserError, match=f"`{field}` should be"):
        backends.prove(replace(backend, config={**backend.config, field: value}), found)


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("workspace_key_prefix", "other"),
        ("endpoint", "http://127.0.0.1:1"),
        ("endpoints", {"s3": "http://x"}),
    ],
)
def test_the_proof_sees_what_leads_elsewhere(tmp_path: Path, field: str, value: object) -> None:
    backends = Backends(
        MemoryStates(),
        base_url="",
        directory=tmp_path,
        defaults=BackendPolicy(bucket="states", region="eu-central-1"),
    )
    backend = backends.backend(STAGING, policy(kind="s3"), "s3", ("", ""))
    assert dict(backend.config) == {
        "bucket": "states",
        "key": "staging/terraform.tfstate",
        "region": "eu-central-1",
        "use_lockfile": "true",
    }
    unset = {"endpoint": None, "endpoints": {"s3": None, "sts": None}, "workspace_key_prefix": None}
    found = _found({**backend.config})
    backends.prove(backend, replace(found, config={**found.config, **unset}))
    with pytest.raises(UserError, match=f"`{field}` should be `unset`"):
        backends.prove(backend, replace(found, config={**found.config, **unset, field: value}))


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("acl", "public-read"),
        ("kms_key_id", "alias/theirs"),
        ("http_proxy", "http://x"),
        ("insecure", True),
        ("profile", "admin"),
        ("assume_role", {"role_arn": "arn", "duration": None}),
        ("of_tomorrow", 1),
    ],
)
def test_the_proof_reads_every_setting(tmp_path: Path, field: str, value: object) -> None:
    backends = Backends(
        MemoryStates(),
        base_url="",
        directory=tmp_path,
        defaults=BackendPolicy(bucket="states", region="eu-central-1"),
    )
    backend = backends.backend(STAGING, policy(kind="s3"), "s3", ("", ""))
    harmless = {
        "encrypt": True,
        "skip_s3_checksum": True,
        "assume_role": {"role_arn": None},
        "insecure": None,
    }
    found = _found({**backend.config})
    backends.prove(backend, replace(found, config={**found.config, **harmless}))
    with pytest.raises(UserError, match=f"`{field}`, which only the policy") as refused:
        backends.prove(backend, replace(found, config={**found.config, **harmless, field: value}))
    assert str(value) not in str(refused.value)


def test_the_proof_sees_an_endpoint_beside_the_buckets(backends: Backends) -> None:
    backend = backends.backend(STAGING, policy(kind="s3"), "", ("", ""))
    found = _found(backend.config)
    endpoints = {**json.loads(backend.config["endpoints"]), "sts": "https://evil.example.com"}
    with pytest.raises(UserError, match="`endpoints` should be"):
        backends.prove(backend, replace(found, config={**found.config, "endpoints": endpoints}))


def test_a_repositorys_own_settings_are_overruled_or_seen(backends: Backends, tmp_path: Path) -> None:
    backend = backends.backend(STAGING, policy(kind="s3"), "s3", ("", ""))
    directory = Directory.make(tmp_path / "infra", backend, PROVIDER)
    block = 'terraform {\n  backend "s3" {\n    bucket = "others"\n    key = "prod/terraform.tfstate"\n    %s\n  }\n}\n'
    (directory.path / "backend.tf").write_text(block % "")
    directory.init()
    backends.prove(backend, read_back(directory))
    (directory.path / "backend.tf").write_text(block % 'workspace_key_prefix = "elsewhere"')
    directory.run(
        "init", "-no-color", "-reconfigure", *(f"-backend-config={k}={v}" for k, v in backend.config.items())
    )
    with pytest.raises(UserError, match="workspace_key_prefix"):
        backends.prove(backend, read_back(directory))


def test_terraform_signs_with_the_states_key(tmp_path: Path) -> None:
    """The provider's AWS_* variables are in the environment, and are not what the backend uses."""
    signed: list[str] = []

    class Handler(BaseHTTPRequestHandler):
        def do_HEAD(self) -> None:
            self.do_GET()

        def do_GET(self) -> None:
            signed.append(self.headers.get("Authorization", ""))
            self.send_response(403)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, *_: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
        thread.start()
        url = f"http://127.0.0.1:{server.server_address[1]}"
        backends = Backends(
            MemoryStates(),
            base_url="",
            directory=tmp_path / "p",
            defaults=BackendPolicy(bucket="states", endpoint=url),
            keys=KEYS,
        )
        backend = backends.backend(STAGING, policy(kind="s3"), "", ("", ""))
        directory = Directory.make(tmp_path / "infra", backend, PROVIDER)
        directory.run("init", *(f"-backend-config={k}={v}" for k, v in backend.config.items()), ok=False)
        server.shutdown()
        thread.join()
    assert signed
    assert all("Credential=STATEKEY/" in header for header in signed)


def test_trouble_with_the_bucket_is_told_apart(endpoint: str, client: S3Client) -> None:
    buckets = Buckets(KEYS)
    with pytest.raises(UserError, match="Cannot access the bucket `nowhere`: NoSuchBucket"):
        buckets.get(Bucket("nowhere", endpoint, "auto"), "x")
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        port = unused.getsockname()[1]
    with pytest.raises(TransientError, match="does not answer"):
        buckets.get(Bucket("states", f"http://127.0.0.1:{port}", "auto"), "x")


def test_without_a_bucket_the_policy_is_incomplete(tmp_path: Path) -> None:
    backends = Backends(MemoryStates(), base_url="", directory=tmp_path)
    with pytest.raises(UserError, match="no bucket is set") as refused:
        backends.backend(STAGING, policy(kind="s3"), "", ("", ""))
    assert "[stack.infra.backend]" in refused.value.next_step


def _found(config: object) -> InitResult:
    """What Terraform would read back of such settings."""
    assert isinstance(config, dict)
    typed = {
        name: json.loads(value) if value[:1] in "[{" or value in ("true", "false") else value
        for name, value in config.items()
    }
    return InitResult(CommandResult(0, ""), "s3", typed)
