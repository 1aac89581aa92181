"""The trust policies that docs/identity.md shows are for tokens that Towpath issues."""

from __future__ import annotations

import json
from pathlib import Path

from bot.domain.identity import subject
from bot.domain.identity.variables import _STATIC
from bot.domain.policy import parse_policy
from bot.domain.target import Target
from tests.contract.docs.test_reference import ROOT, blocks

PAGE: Path = ROOT / "docs" / "identity.md"
PLAN, APPLY = (subject(Target("acme/infra", "infra", "prod"), access) for access in ("plan", "apply"))


def test_each_trust_policy_names_one_phase() -> None:
    shown = [json.loads(text) for text in blocks(PAGE, "json")]
    aws = [one["Statement"][0]["Condition"]["StringEquals"] for one in shown if "Statement" in one]
    google = [
        one["bindings"][0]["members"][0].rpartition("/subject/")[2] for one in shown if "bindings" in one
    ]
    azure = [one for one in shown if "subject" in one]
    assert [one["towpath.example.com:sub"] for one in aws] == [APPLY, PLAN]
    assert google == [APPLY, PLAN]
    assert [one["subject"] for one in azure] == [APPLY, PLAN]
    policy = parse_policy(blocks(PAGE, "toml")[0], PAGE.name)
    audiences = policy.environments["prod"].identity.audiences
    assert {one["towpath.example.com:aud"] for one in aws} == {audiences["aws"]}
    assert {one["audiences"][0] for one in azure} == {audiences["azure"]}


def test_what_replaces_a_token_is_listed() -> None:
    text = PAGE.read_text()
    for names in _STATIC.values():
        for name in names:
            assert f"`{name}`" in text
