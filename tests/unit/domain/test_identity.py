"""What a run's tokens say, where tools find them, and when the keys that sign them change."""

from __future__ import annotations

import json
import re
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.domain.actors import SYSTEM, Actor
from bot.domain.identity import (
    EnvironmentSecrets,
    SigningKey,
    claims_of,
    clash,
    current_key,
    expired_keys,
    files_of,
    is_ours,
    key_due,
    session_name,
    subject,
    variables_of,
)
from bot.domain.identity.rotation import AHEAD, SIGNS, SKEW
from bot.domain.policy import Identity
from bot.domain.run import Kind, Run
from bot.domain.target import Target

ANN = Actor("ann")
PROD = Target("acme/infra", "infra", "prod")
HERE = Path("/srv/checkout/.towpath")
NOW = datetime(2030, 1, 2, tzinfo=UTC)
PROVIDER = "projects/123456789012/locations/global/workloadIdentityPools/towpath/providers/towpath"
IDENTITY = Identity.model_validate(
    {
        "aws": {
            "plan": "arn:aws:iam::123456789012:role/read",
            "apply": "arn:aws:iam::123456789012:role/write",
        },
        "google": {
            "provider": PROVIDER,
            "plan": "read@acme.iam.gserviceaccount.com",
            "apply": "write@acme.iam.gserviceaccount.com",
        },
        "azure": {
            "tenant": "00000000-0000-0000-0000-000000000001",
            "subscription": "00000000-0000-0000-0000-000000000002",
            "plan": "00000000-0000-0000-0000-000000000003",
            "apply": "00000000-0000-0000-0000-000000000004",
        },
        "vault": {"audience": "https://vault.example.com", "file_variable": "VAULT_JWT_FILE"},
    }
)


def run(kind: Kind = "apply", *, pull: int = 42, actor: Actor = ANN, target: Target = PROD) -> Run:
    return Run("r1", kind, target, pull, "c" * 40, actor=actor)


# claims


@pytest.mark.parametrize(("kind", "phase"), [("plan", "plan"), ("drift", "plan"), ("apply", "apply")])
def test_only_an_apply_writes(kind: Kind, phase: str) -> None:
    claims = claims_of(run(kind))
    assert claims["phase"] == phase
    assert claims["sub"] == f"repo:acme/infra:env:prod:stack:infra:phase:{phase}"


def test_claims_say_who_did_what_and_why() -> None:
    target = Target("acme/infra", "net", "test", "pr-42")
    assert claims_of(run(target=target)) == {
        "sub": "repo:acme/infra:env:test:stack:net:phase:apply",
        "repository": "acme/infra",
        "environment": "test",
        "stack": "net",
        "phase": "apply",
        "instance": "pr-42",
        "pull_request": "42",
        "commit": "c" * 40,
        "actor": "ann",
        "run": "r1",
    }
    nobody = claims_of(run("drift", pull=0, actor=SYSTEM))
    assert (nobody["pull_request"], nobody["actor"], nobody["instance"]) == ("", "towpath", "")


_OWNERS = st.from_regex(r"[a-z0-9-]{1,39}", fullmatch=True)
_NAMES = st.from_regex(r"[a-z0-9._-]{1,100}", fullmatch=True)
_WORDS = st.from_regex(r"[a-z][a-z0-9-]{0,39}", fullmatch=True)
TARGETS = st.builds(
    lambda owner, name, stack, env: Target(f"{owner}/{name}", stack, env), _OWNERS, _NAMES, _WORDS, _WORDS
)


@given(TARGETS, TARGETS)
def test_no_two_targets_have_one_subject(one: Target, other: Target) -> None:
    """And AWS takes it: at most 255 characters."""
    subjects = {subject(target, access) for target in (one, other) for access in ("plan", "apply")}
    assert len(subjects) == 2 * len({one, other})
    assert all(len(each) <= 255 for each in subjects)


# the session's name


@pytest.mark.parametrize(
    ("made", "name"),
    [
        (run(), "ann@infra-pr-42"),
        (run(actor=Actor("dependabot[bot]")), "dependabot-bot-@infra-pr-42"),
        (run("drift", pull=0, actor=SYSTEM), "towpath@infra-drift"),
        (run(target=Target("acme/" + "x" * 90, "infra", "prod")), f"ann@{'x' * 54}-pr-42"),
    ],
)
def test_session_names(made: Run, name: str) -> None:
    assert session_name(made) == name


@given(st.text(max_size=60), st.text(max_size=120), st.integers(0, 10**9))
def test_aws_takes_every_session_name(login: str, repository: str, pull: int) -> None:
    name = session_name(run(actor=Actor(login), pull=pull, target=Target(f"acme/{repository}", "s", "e")))
    assert re.fullmatch(r"[\w+=,.@-]{2,64}", name, re.ASCII)
    assert name.endswith(f"-pr-{pull}" if pull else "-apply")


# variables and files


def test_plans_read_and_applies_write() -> None:
    plan, apply = (variables_of(IDENTITY, access, HERE, "ann@infra-pr-42") for access in ("plan", "apply"))
    assert {name for name in plan if plan[name] != apply[name]} == {"AWS_ROLE_ARN", "ARM_CLIENT_ID"}
    assert plan["AWS_ROLE_ARN"].endswith("role/read")
    assert apply == {
        "AWS_ROLE_ARN": "arn:aws:iam::123456789012:role/write",
        "AWS_WEB_IDENTITY_TOKEN_FILE": "/srv/checkout/.towpath/identity-aws.token",
        "AWS_ROLE_SESSION_NAME": "ann@infra-pr-42",
        "GOOGLE_APPLICATION_CREDENTIALS": "/srv/checkout/.towpath/identity-google.json",
        "ARM_USE_OIDC": "true",
        "ARM_OIDC_TOKEN_FILE_PATH": "/srv/checkout/.towpath/identity-azure.token",
        "ARM_CLIENT_ID": "00000000-0000-0000-0000-000000000004",
        "ARM_TENANT_ID": "00000000-0000-0000-0000-000000000001",
        "ARM_SUBSCRIPTION_ID": "00000000-0000-0000-0000-000000000002",
        "VAULT_JWT_FILE": "/srv/checkout/.towpath/identity-vault.token",
    }


def test_files_are_where_the_variables_say() -> None:
    tokens = {name: f"token-of-{name}" for name in IDENTITY.audiences}
    files = files_of(IDENTITY, "plan", HERE, tokens)
    assert all(map(is_ours, files))
    assert not is_ours("plan.tfplan")
    paths = {
        value
        for value in variables_of(IDENTITY, "plan", HERE, "").values()
        if value.startswith("/srv/checkout")
    }
    assert paths | {f"{HERE}/identity-google.token"} == {f"{HERE}/{name}" for name in files}
    assert files["identity-vault.token"] == b"token-of-vault"
    google = json.loads(files["identity-google.json"])
    assert google["type"] == "external_account"
    assert google["audience"] == f"//iam.googleapis.com/{PROVIDER}"
    assert google["credential_source"]["file"] == f"{HERE}/identity-google.token"
    assert (
        "/serviceAccounts/read@acme.iam.gserviceaccount.com:" in google["service_account_impersonation_url"]
    )


def test_every_cloud_has_an_audience_of_its_own() -> None:
    assert IDENTITY.audiences == {
        "aws": "sts.amazonaws.com",
        "google": f"https://iam.googleapis.com/{PROVIDER}",
        "azure": "api://AzureADTokenExchange",
        "vault": "https://vault.example.com",
    }


@pytest.mark.parametrize(
    "name", ["AWS_ACCESS_KEY_ID", "AWS_ROLE_ARN", "GOOGLE_CREDENTIALS", "ARM_CLIENT_SECRET", "VAULT_JWT_FILE"]
)
def test_static_secrets_that_would_replace_it(name: str) -> None:
    assert clash(IDENTITY, ["TOKEN", name]) == name
    assert clash(IDENTITY, ["TOKEN", "TF_VAR_AWS_ROLE_ARN"]) == ""
    assert clash(Identity(), [name]) == ""


# static secrets


def test_secrets_of_one_phase() -> None:
    found = EnvironmentSecrets.split(
        {
            "X": "both",
            "PLAN_X": "read",
            "APPLY_Y": "write",
            "Z": "z",
            "PLAN_": "?",
            "PLAN": "all",
            "PLANS": "s",
        }
    )
    assert found.of("plan") == {"X": "read", "Z": "z", "PLAN": "all", "PLANS": "s"}
    assert found.of("apply") == {"X": "both", "Y": "write", "Z": "z", "PLAN": "all", "PLANS": "s"}
    assert set(found.hidden()) == {"both", "read", "write", "z", "all", "s"}


def test_a_name_that_begins_like_a_phase_is_written_with_the_phase() -> None:
    found = EnvironmentSecrets.split({"PLAN_PLAN_ID": "p", "APPLY_PLAN_ID": "a"})
    assert (found.plan, found.apply) == ({"PLAN_ID": "p"}, {"PLAN_ID": "a"})


# keys


def key(number: int, signs_from: datetime, tokens_until: datetime | None = None) -> SigningKey:
    return SigningKey(number, f"k{number}", {}, signs_from - AHEAD, signs_from, tokens_until)


def test_the_first_key_signs_at_once() -> None:
    assert current_key([], NOW) is None
    assert key_due([], NOW) == (1, NOW)
    assert current_key([key(1, NOW)], NOW) == key(1, NOW)


def test_a_worker_whose_clock_is_behind_signs_with_the_first_key() -> None:
    assert current_key([key(1, NOW)], NOW - timedelta(minutes=1)) == key(1, NOW)
    assert key_due([key(1, NOW)], NOW - timedelta(minutes=1)) is None


def test_the_next_key_is_published_before_it_signs() -> None:
    keys = [key(1, NOW)]
    assert key_due(keys, NOW + SIGNS - AHEAD - timedelta(seconds=1)) is None
    assert key_due(keys, NOW + SIGNS - AHEAD) == (2, NOW + SIGNS)
    keys.append(key(2, NOW + SIGNS))
    assert key_due(keys, NOW + SIGNS - AHEAD) is None
    assert current_key(keys, NOW + SIGNS - timedelta(seconds=1)) == keys[0]
    assert current_key(keys, NOW + SIGNS) == keys[1]


def test_after_a_long_rest_the_next_key_is_published_before_it_signs_too() -> None:
    late = NOW + 10 * SIGNS
    assert key_due([key(1, NOW)], late) == (2, late + AHEAD)


def test_a_key_stays_until_its_last_token_expired() -> None:
    later = NOW + SIGNS
    last = later + timedelta(hours=2)
    keys = [key(1, NOW, last), key(2, later)]
    for moment in (NOW, later, later + SKEW, last, last + SKEW):
        assert expired_keys(keys, moment) == []
    assert expired_keys(keys, last + SKEW + timedelta(seconds=1)) == keys[:1]
    assert expired_keys(keys[:1], NOW + 10 * SIGNS) == []
