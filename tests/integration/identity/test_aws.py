"""AWS's own client exchanges a run's token for a session, at a real STS server."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import boto3
import pytest

from bot.domain.actors import Actor
from bot.domain.identity import EnvironmentSecrets
from bot.domain.policy import parse_policy
from bot.domain.run import Kind, Run
from bot.domain.target import Target
from bot.services.identity import run_identity, write_tokens
from bot.storage.database import Database
from tests.fixtures.context import bare
from tests.fixtures.identity import ISSUER

POLICY = parse_policy(
    """[stack.infra]
root = "infra"
[env.prod.identity.aws]
plan = "arn:aws:iam::123456789012:role/read"
apply = "arn:aws:iam::123456789012:role/write"
""",
    "environments.toml",
)


@pytest.fixture
def aws(monkeypatch: pytest.MonkeyPatch, s3_endpoint: str) -> pytest.MonkeyPatch:
    """No credentials but those that a test sets. moto's server is STS too."""
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN", "AWS_PROFILE"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("AWS_ENDPOINT_URL_STS", s3_endpoint)
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    monkeypatch.setenv("AWS_DEFAULT_REGION", "eu-central-1")
    return monkeypatch


@pytest.mark.parametrize(("kind", "role"), [("plan", "read"), ("drift", "read"), ("apply", "write")])
def test_a_session_of_the_role(
    store: Database, tmp_path: Path, aws: pytest.MonkeyPatch, kind: Kind, role: str
) -> None:
    """Its name, which CloudTrail shows, has the person and the pull request."""
    context = replace(
        bare(store, tmp_path), issuer=ISSUER, secrets=lambda _prefix: EnvironmentSecrets({}, {})
    )
    run = Run("r1", kind, Target("acme/infra", "infra", "prod"), 42, "c" * 40, actor=Actor("ann"))
    identity = run_identity(context, POLICY, run, tmp_path / "tokens")
    assert identity is not None
    write_tokens(context, identity)
    for name, value in identity.env.items():
        aws.setenv(name, value)
    who = boto3.Session().client("sts").get_caller_identity()
    assert who["Arn"] == f"arn:aws:sts::123456789012:assumed-role/{role}/ann@infra-pr-42"
