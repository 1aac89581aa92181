"""`[providers]` of the policy: what it allows, and what is wrong with it."""

from __future__ import annotations

import pytest

from bot.domain.policy import PolicyError, parse_policy, provider_allowed

BASE = '[stack.infra]\nroot = "infra"\n[env.staging]\n'
PUBLIC = "registry.terraform.io"


@pytest.mark.parametrize(
    ("glob", "source", "allowed"),
    [
        ("hashicorp/*", f"{PUBLIC}/hashicorp/aws", True),
        ("hashicorp/aws", f"{PUBLIC}/hashicorp/aws", True),
        ("HashiCorp/AWS", f"{PUBLIC}/hashicorp/aws", True),
        ("hashicorp/*", "registry.opentofu.org/hashicorp/aws", False),
        ("registry.opentofu.org/hashicorp/*", "registry.opentofu.org/hashicorp/aws", True),
        ("hashicorp/*", "registry.example.com/hashicorp/aws", False),
        ("hashicorp/a*", f"{PUBLIC}/hashicorp/random", False),
        ("*/*", f"{PUBLIC}/acme/evil", True),
        ("*/*", "registry.example.com/acme/evil", False),
        ("*/*/*", "registry.example.com/acme/evil", True),
        ("localhost:8080/acme/*", "localhost:8080/acme/evil", True),
        ("hashicorp/aws", "terraform.io/builtin/terraform", True),
    ],
)
def test_what_is_allowed(glob: str, source: str, *, allowed: bool) -> None:
    assert provider_allowed([glob], source, PUBLIC) is allowed


def test_the_default() -> None:
    """No restriction; an empty list leaves only what is built in."""
    assert parse_policy(BASE, "policy").providers.allow is None
    assert parse_policy(BASE + "[providers]\n", "policy").providers.allow is None
    assert parse_policy(BASE + "[providers]\nallow = []\n", "policy").providers.allow == ()
    assert not provider_allowed([], f"{PUBLIC}/hashicorp/aws", PUBLIC)


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ('[providers]\nallow = "hashicorp/*"', "line 5: `allow` must be a list of at most 200 providers"),
        ('[providers]\nallow = ["aws"]', 'line 5: `allow` item 1 must be a provider such as "hashicorp/aws"'),
        ('[providers]\nallow = ["https://a/b/c"]', "`allow` item 1 must be a provider"),
        ("[providers]\nalow = []", "line 5: unknown key `alow` in .providers.; did you mean `allow`"),
        ("[provider]\nallow = []", "unknown key `provider`; did you mean `providers`"),
    ],
)
def test_what_is_wrong(text: str, problem: str) -> None:
    with pytest.raises(PolicyError, match=problem):
        parse_policy(f"{BASE}{text}\n", "policy")
