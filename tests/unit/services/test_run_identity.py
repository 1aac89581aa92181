"""A run's tokens: signed, verified by another library, in files that exist only while it runs."""

from __future__ import annotations

import os
import time
from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import jwt
import pytest

from bot.domain.actors import Actor
from bot.domain.identity import EnvironmentSecrets
from bot.domain.identity.rotation import AHEAD, SIGNS, SKEW
from bot.domain.policy import parse_policy
from bot.domain.ports.terraform import Control
from bot.domain.redaction import Redactor
from bot.domain.run import Kind, Run
from bot.domain.target import Target
from bot.errors import UserError
from bot.services.context import Context
from bot.services.identity import (
    RunIdentity,
    hidden_values,
    remove_tokens,
    renew_tokens,
    rotate_keys,
    run_identity,
    secrets_for,
    tokens_removed,
    write_tokens,
)
from bot.services.maintenance import tidy_worktrees
from bot.services.plans import OURS
from bot.storage.database import Database
from tests.fixtures.identity import ISSUER, published, verified
from tests.integration.storage import samples
from tests.integration.storage.samples import at_once
from tests.unit.services.conftest import Clock

POLICY = parse_policy(
    """[stack.infra]
root = "infra"
[env.staging]
[env.prod]
timeout = "2h"
[env.prod.identity]
aws = { plan = "arn:aws:iam::123456789012:role/read", apply = "arn:aws:iam::123456789012:role/write" }
vault = { audience = "https://vault.example.com", file_variable = "VAULT_JWT_FILE" }
""",
    "environments.toml",
)
AWS = "sts.amazonaws.com"
PROD = Target("acme/infra", "infra", "prod")


def run(kind: Kind = "plan", environment: str = "prod") -> Run:
    return Run("r1", kind, replace(PROD, environment=environment), 42, "c" * 40, actor=Actor("ann"))


def with_secrets(context: Context, **variables: str) -> Context:
    def prefixed(prefix: str) -> EnvironmentSecrets:
        mine = {
            name.removeprefix(prefix): value for name, value in variables.items() if name.startswith(prefix)
        }
        return EnvironmentSecrets.split(mine)

    return replace(context, issuer=ISSUER, secrets=prefixed)


@pytest.fixture
def here(tmp_path: Path) -> Path:
    return tmp_path / "worktree" / OURS


@pytest.fixture
def issuing(context: Context) -> Context:
    return with_secrets(context)


@pytest.fixture
def today(issuing: Context, clock: Clock) -> Context:
    """Of now, as the verifier's clock cannot be set."""
    clock.at = datetime.now(UTC)
    return issuing


def granted(context: Context, directory: Path, made: Run | None = None) -> RunIdentity:
    found = run_identity(context, POLICY, made or run(), directory)
    assert found is not None
    return found


# tokens


@pytest.mark.parametrize(("kind", "phase"), [("plan", "plan"), ("drift", "plan"), ("apply", "apply")])
def test_a_cloud_can_verify_them(today: Context, here: Path, kind: Kind, phase: str) -> None:
    identity = granted(today, here, run(kind))
    write_tokens(today, identity)
    token = Path(identity.env["AWS_WEB_IDENTITY_TOKEN_FILE"]).read_text()
    client = published(today.store)
    claims = verified(client, token, AWS)
    assert claims["sub"] == f"repo:acme/infra:env:prod:stack:infra:phase:{phase}"
    assert (claims["actor"], claims["pull_request"], claims["run"]) == ("ann", "42", "r1")
    assert identity.env["AWS_ROLE_ARN"].endswith("write" if phase == "apply" else "read")
    with pytest.raises(jwt.InvalidAudienceError):
        verified(client, token, "https://vault.example.com")


def test_another_issuer_may_make_them(today: Context, here: Path) -> None:
    asked = []

    def fetch(audiences: Mapping[str, str]) -> dict[str, str]:
        asked.append(dict(audiences))
        return {name: f"head.claims.signature-for-{name}" for name in audiences}

    elsewhere = replace(today, tokens=fetch)
    assert write_tokens(elsewhere, granted(elsewhere, here)) == ("signature-for-aws", "signature-for-vault")
    assert asked == [{"aws": AWS, "vault": "https://vault.example.com"}]
    assert (here / "identity-aws.token").read_text() == "head.claims.signature-for-aws"
    with pytest.raises(UserError, match="this job may not have GitHub's tokens"):
        granted(replace(elsewhere, issuer=""), here)


def test_they_live_as_long_as_the_run_may_take(today: Context, here: Path) -> None:
    identity = granted(today, here)
    write_tokens(today, identity)
    claims = verified(published(today.store), (here / "identity-aws.token").read_text(), AWS)
    assert claims["exp"] - claims["iat"] == 2 * 3600 + 600
    write_tokens(today, replace(identity, timeout=timedelta(days=9)))
    claims = verified(published(today.store), (here / "identity-aws.token").read_text(), AWS)
    assert claims["exp"] - claims["iat"] == 24 * 3600


def test_an_expired_one_is_worth_nothing(today: Context, clock: Clock, here: Path) -> None:
    clock.pass_by(hours=-3)
    write_tokens(today, granted(today, here))
    with pytest.raises(jwt.ExpiredSignatureError):
        verified(published(today.store), (here / "identity-aws.token").read_text(), AWS)


def test_each_is_another_one(today: Context, here: Path) -> None:
    tokens = []
    for _ in range(2):
        write_tokens(today, granted(today, here))
        tokens += [(here / f"identity-{name}.token").read_text() for name in ("aws", "vault")]
    ids = {jwt.decode(token, options={"verify_signature": False})["jti"] for token in tokens}
    assert len(ids) == 4


def test_nothing_private_is_published(today: Context, here: Path) -> None:
    write_tokens(today, granted(today, here))
    answer = published(today.store).get("/.well-known/jwks.json")
    (key,) = answer.json()["keys"]
    assert set(key) == {"kty", "n", "e", "kid", "use", "alg"}
    assert answer.headers["cache-control"] == "public, max-age=3600"


def test_where_there_is_no_issuer_nothing_is_published(context: Context) -> None:
    client = published(context.store, "")
    for path in ("openid-configuration", "jwks.json"):
        answer = client.get(f"/.well-known/{path}")
        assert (answer.status_code, "TOWPATH_PUBLIC_URL" in answer.text) == (404, True)


# keys


def test_workers_that_begin_together_make_one_key(issuing: Context, here: Path) -> None:
    def sign(number: int) -> str:
        write_tokens(issuing, granted(issuing, here / str(number)))
        return str(jwt.get_unverified_header((here / str(number) / "identity-aws.token").read_text())["kid"])

    used = at_once(4, sign)
    with issuing.store.read() as tables:
        (key,) = tables.signing_keys.all()
    assert used == [key.id] * 4


def test_the_clock_makes_the_first_key_and_later_ones_in_time(
    issuing: Context, clock: Clock, here: Path
) -> None:
    begun, client = clock.at, published(issuing.store)

    def ids() -> list[str]:
        return [key["kid"] for key in client.get("/.well-known/jwks.json").json()["keys"]]

    def used() -> str:
        write_tokens(issuing, granted(issuing, here))
        return str(jwt.get_unverified_header((here / "identity-aws.token").read_text())["kid"])

    for _ in range(2):
        rotate_keys(issuing)
    (first,) = ids()
    clock.at = begun + SIGNS - AHEAD
    for _ in range(2):
        rotate_keys(issuing)
    assert ids()[0] == used() == first  # the second is published, and does not sign yet
    second = ids()[1]
    clock.at = begun + SIGNS - timedelta(minutes=1)
    assert used() == first
    last = clock.at + timedelta(hours=2, minutes=10)
    clock.at = begun + SIGNS
    assert used() == second
    clock.at = last + SKEW
    rotate_keys(issuing)
    assert ids() == [first, second]
    clock.pass_by(seconds=1)
    rotate_keys(issuing)
    assert ids() == [second]


def test_without_an_issuer_no_key_is_made(context: Context) -> None:
    rotate_keys(context)
    with context.store.read() as tables:
        assert tables.signing_keys.all() == []


def test_the_private_half_is_nowhere_in_clear_text(issuing: Context, database: Database) -> None:
    rotate_keys(issuing)
    with issuing.store.read() as tables:
        secret = tables.signing_keys.private(1)
    path = Path(str(database.engine.url.database))
    on_disk = b"".join(file.read_bytes() for file in path.parent.glob(f"{path.name}*"))
    assert secret not in on_disk
    assert b'"qi"' not in on_disk


# refusals


def test_without_a_public_address_it_is_refused(context: Context, here: Path) -> None:
    with pytest.raises(UserError) as refused:
        run_identity(replace(with_secrets(context), issuer=""), POLICY, run(), here)
    assert "no public https address" in refused.value.what
    assert "TOWPATH_PUBLIC_URL" in refused.value.next_step
    assert run_identity(context, POLICY, run(environment="staging"), here) is None


@pytest.mark.parametrize(
    "variable", ["PROD_AWS_ACCESS_KEY_ID", "PROD_PLAN_AWS_ROLE_ARN", "PROD_VAULT_JWT_FILE"]
)
def test_a_static_secret_in_its_place_is_refused(context: Context, here: Path, variable: str) -> None:
    asked = with_secrets(context, **{variable: "x", "PROD_APPLY_AWS_PROFILE": "y", "PROD_OTHER": "z"})
    with pytest.raises(UserError, match=variable.removeprefix("PROD_").removeprefix("PLAN_")):
        run_identity(asked, POLICY, run(), here)


# static secrets


def test_plans_get_no_secrets_of_applies_but_hide_them(context: Context) -> None:
    asked = with_secrets(context, PROD_TOKEN="both", PROD_PLAN_KEY="read", PROD_APPLY_KEY="write")
    assert secrets_for(asked, POLICY, run("plan")) == {"TOKEN": "both", "KEY": "read"}
    assert secrets_for(asked, POLICY, run("drift")) == {"TOKEN": "both", "KEY": "read"}
    assert secrets_for(asked, POLICY, run("apply")) == {"TOKEN": "both", "KEY": "write"}
    assert set(hidden_values(asked, POLICY, PROD)) == {"both", "read", "write"}


# files


def test_only_the_bot_can_read_the_files(issuing: Context, here: Path) -> None:
    write_tokens(issuing, granted(issuing, here))
    assert here.stat().st_mode & 0o777 == 0o700
    assert {path.stat().st_mode & 0o777 for path in here.iterdir()} == {0o600}


def test_a_link_in_their_place_is_not_followed(issuing: Context, here: Path, tmp_path: Path) -> None:
    here.mkdir(parents=True)
    theirs = tmp_path / "theirs"
    theirs.write_text("mine")
    (here / "identity-aws.token").symlink_to(theirs)
    write_tokens(issuing, granted(issuing, here))
    assert theirs.read_text() == "mine"
    assert not (here / "identity-aws.token").is_symlink()
    remove_tokens(here)
    (here / "identity-aws.token").symlink_to(theirs)
    remove_tokens(here)
    assert (theirs.exists(), list(here.iterdir())) == (True, [])
    elsewhere = tmp_path / "link"
    elsewhere.symlink_to(here)
    write_tokens(issuing, granted(issuing, here))
    remove_tokens(elsewhere)
    assert len(list(here.iterdir())) == 2


def test_they_are_gone_at_the_end_however_it_comes(issuing: Context, here: Path) -> None:
    def fail() -> None:
        with tokens_removed(here):
            write_tokens(issuing, granted(issuing, here))
            (here / "plan.tfplan").write_bytes(b"plan")
            raise UserError("init failed")

    with pytest.raises(UserError):
        fail()
    assert [path.name for path in here.iterdir()] == ["plan.tfplan"]


class NoEngine:
    def collect(self) -> int:
        return 0


@pytest.mark.parametrize("kind", ["plan", "apply"])
def test_after_a_crash_the_next_sweep_removes_them(issuing: Context, tmp_path: Path, kind: Kind) -> None:
    """Of a run that ended, and never of one that goes on, nor fresh ones, whose run may not be seen yet."""
    plan_id, run_id = "a" * 20, "b" * 20 if kind == "apply" else "a" * 20
    context = replace(issuing, terraform=NoEngine())  # type: ignore[arg-type]
    worktree = tmp_path / "worktrees" / PROD.path / plan_id
    write_tokens(context, granted(context, worktree / OURS))
    made = samples.run(run_id, kind=kind, target=PROD, phase="planning", plan_id=plan_id)
    with context.store.begin() as tables:
        tables.runs.add(made)

    def left(age: float) -> int:
        for path in (worktree / OURS).iterdir():
            os.utime(path, (time.time() - age,) * 2)
        tidy_worktrees(context)
        return len(list((worktree / OURS).iterdir()))

    assert left(90.0) == 2
    with context.store.begin() as tables:
        tables.runs.move(run_id, (made.phase,), "finished", outcome="interrupted")
    assert left(30.0) == 2
    assert left(90.0) == 0


def encodings(token: str) -> Mapping[str, str]:
    import base64

    return {
        "as it is": token,
        "the signature": token.rpartition(".")[2],
        "base64": base64.b64encode(token.encode()).decode(),
        "in json": f'{{"a": "{token}"}}',
    }


def test_what_is_printed_of_them_is_masked(issuing: Context, here: Path, tmp_path: Path) -> None:
    control = Control(tmp_path, secrets=("known-secret",))
    renew_tokens(issuing, None, control)
    assert control.secrets == ("known-secret",)
    renew_tokens(issuing, granted(issuing, here), control)
    redact: Any = Redactor(control.secrets)
    for name in ("aws", "vault"):
        token = (here / f"identity-{name}.token").read_text()
        signature = token.rpartition(".")[2]
        for how, text in encodings(token).items():
            shown = redact(f"it is {text} known-secret")
            assert signature not in shown, how
            assert "***" in shown, how
            assert encodings(signature)["base64"].rstrip("=")[:-4] not in shown, how
