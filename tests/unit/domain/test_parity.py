"""What counts as a difference between environments, and what the policy says about that."""

from __future__ import annotations

import json
from datetime import timedelta

import pytest

from bot.domain.parity import (
    Comparison,
    Profile,
    Trait,
    Unused,
    compare_profiles,
    policy_traits,
    resource_traits,
    unused_declarations,
)
from bot.domain.policy import AllowedDifference, Environment, Lines, ParityGroup, PolicyError, parse_policy
from bot.errors import UserError

BASE = '[stack.infra]\nroot = "infra"\n[env.dev]\n[env.ci]\n[env.staging]\n[env.prod]\n'
REASON = "fewer users"


def compared(
    *values: object, what: str = "var.x", declared: str = "", names: str = "staging prod ci"
) -> Comparison:
    """Environments whose values of one name these are; None where it is missing, a pair for value and type."""
    environments = tuple(names.split()[: len(values)])
    profiles = []
    for environment, value in zip(environments, values, strict=True):
        text, kind = value if isinstance(value, tuple) else (value, "")
        traits = () if value is None else (Trait(what, str(text), kind, f"{environment}.tfvars line 1"),)
        profiles.append(Profile(environment, traits))
    allowed = (AllowedDifference(what=declared, reason=REASON),) if declared else ()
    return compare_profiles("infra", ParityGroup(environments=environments, differences=allowed), profiles)


@pytest.mark.parametrize(
    ("first", "second", "kind"),
    [
        ("1", "1", ""),
        ("1", "2", "value"),
        ("1", None, "missing"),
        (None, "1", "missing"),
        (("1", "number"), ('"1"', "string"), "type"),
        ("staging.example.com", "prod.example.com", ""),
        ("STAGING-web", "PROD-web", ""),
        ("prod", "prod", ""),
        ("staging", "staging", ""),
        ("staging-1", "prod-2", "value"),
        ("mystaging", "myprod", "value"),
        ("staging", "example.com", "value"),
    ],
)
def test_what_is_a_difference(first: object, second: object, kind: str) -> None:
    """Values that only differ by the environments' own names are alike."""
    found = compared(first, second).differences
    assert [one.kind for one in found] == ([kind] if kind else [])


def test_each_value_is_one_side() -> None:
    (found,) = compared("1", "2", "1").differences
    assert [(side.environments, side.value, side.place) for side in found.sides] == [
        (("staging", "ci"), "1", "staging.tfvars line 1"),
        (("prod",), "2", "prod.tfvars line 1"),
    ]


@pytest.mark.parametrize(
    ("declared", "covers"),
    [
        ("var.x", True),
        ("var.*", True),
        ("var.?", True),
        ("var.y", False),
        ("secret.x", False),
        ("var.X", False),
    ],
)
def test_a_declared_difference_has_a_reason(declared: str, *, covers: bool) -> None:
    found = compared("1", "2", declared=declared)
    assert [one.reason for one in found.declared] == [REASON] * covers
    assert len(found.undeclared) == 1 - covers


def test_what_is_not_known_is_not_compared() -> None:
    """Neither by its whole name nor by its first part; three environments are compared as far as two are known."""
    group = ParityGroup(environments=("dev", "ci", "test"))
    traits = (Trait("policy.drift", "1h"), Trait("resource.x", "1"), Trait("var.x", "1"))
    dev = Profile("dev", traits, {"policy": "local-only", "resource": "nothing is deployed"})
    ci = Profile("ci", (Trait("resource.x", "2"),), {"policy.drift": "", "resource": "nothing is deployed"})
    found = compare_profiles("infra", group, [dev, ci, Profile("test", (*traits[:2], Trait("var.x", "1")))])
    assert [(one.what, one.kind) for one in found.differences] == [("var.x", "missing")]
    assert found.gaps == (
        "settings of dev (local-only)",
        "resources of dev and ci (nothing is deployed)",
    )
    assert found.compared == 1


def test_a_declaration_that_is_not_needed() -> None:
    group = ParityGroup(
        environments=("staging", "prod"),
        differences=(
            AllowedDifference(what="var.x", reason=REASON),
            AllowedDifference(what="var.*", reason=REASON),
            AllowedDifference(what="resource.y", reason=REASON),
        ),
    )
    profiles = [Profile("staging", (Trait("var.x", "1"),)), Profile("prod", (Trait("var.x", "2"),))]
    found = [compare_profiles("infra", group, profiles)]
    assert unused_declarations([group], found, ["resource"]) == (Unused(("staging", "prod"), "var.*"),)
    assert len(unused_declarations([group], found)) == 2


def test_settings_in_the_policys_words() -> None:
    text = '[env.prod]\nparallelism = 20\ntimeout = "90m"\n'
    environment = Environment("prod", parallelism=20, timeout=timedelta(minutes=90), drift=timedelta(days=2))
    found = {trait.what: trait for trait in policy_traits(environment, Lines(text))}
    assert {name: found[f"policy.{name}"].value for name in ("parallelism", "timeout", "drift", "smoke")} == {
        "parallelism": "20",
        "timeout": "90m",
        "drift": "2d",
        "smoke": "none",
    }
    assert found["policy.timeout"].place == "envs/environments.toml line 3"
    assert found["policy.smoke"].place == "envs/environments.toml line 1"
    assert "policy.approvals" not in found


def test_resources_are_counted_by_type() -> None:
    one = {"attributes": {"id": "1", "password": "hunter2"}}
    document = {
        "version": 4,
        "resources": [
            {
                "type": "vm",
                "name": "a",
                "provider": "p",
                "instances": [{**one, "index_key": key} for key in range(3)],
            },
            {"type": "vm", "name": "b", "module": "module.x", "provider": "p", "instances": [one]},
            {"type": "dns", "name": "a", "provider": "p", "instances": [one, {**one, "deposed": "d"}]},
            {"type": "ami", "name": "a", "mode": "data", "provider": "p", "instances": [one]},
        ],
    }
    found = list(resource_traits(json.dumps(document).encode()))
    assert [(trait.what, trait.value) for trait in found] == [("resource.dns", "1"), ("resource.vm", "4")]
    with pytest.raises(UserError, match="encrypted by OpenTofu"):
        list(resource_traits(b'{"encrypted_data": "x"}'))


def test_the_groups() -> None:
    """Those that the file names, and the default ones that have no environment in common with them."""

    def groups(more: str) -> list[tuple[str, ...]]:
        return [group.environments for group in parse_policy(f"{more}\n{BASE}", "policy").parity_groups]

    assert groups("") == [("dev", "ci"), ("staging", "prod")]
    assert groups("parity = []") == []
    assert groups('[[parity]]\nenvironments = ["ci", "prod"]') == [("ci", "prod")]
    assert groups('[[parity]]\nenvironments = ["prod", "staging"]') == [("prod", "staging"), ("dev", "ci")]


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ('environments = ["staging", "prd"]', "there is no environment `prd`; did you mean `prod`"),
        (
            'enviroments = ["staging", "prod"]',
            "line 8: unknown key `enviroments` in `parity` item 1; did you mean",
        ),
        ('environments = ["staging"]', "must be a list of 2 to 200 environments"),
        ('environments = ["prod", "prod"]', "names an environment twice"),
        ("", "`parity` item 1 has no `environments`, such as"),
        (
            'environments = ["staging", "prod"]\ndifferences = [{ what = "var.x" }]',
            "has no `reason`, such as",
        ),
        (
            'environments = ["staging", "prod"]\ndifferences = [{ what = "var.x", reasn = "y", reason = "z" }]',
            "unknown key `reasn` in `parity` item 1: `differences` item 1; did you mean `reason`",
        ),
        (
            'environments = ["staging", "prod"]\ndifferences = [{ what = "vars.x", reason = "y" }]',
            "`what` must begin with `var.`.*; did you mean `var`",
        ),
        (
            'environments = ["staging", "prod"]\ndifferences = ["var.x"]',
            "`differences` item 1 must be a table such as",
        ),
    ],
)
def test_what_is_wrong(text: str, problem: str) -> None:
    with pytest.raises(PolicyError, match=problem):
        parse_policy(f"{BASE}[[parity]]\n{text}\n", "policy")
