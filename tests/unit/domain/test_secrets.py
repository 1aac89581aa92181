"""Plain settings, and the report on an environment's secrets."""

from __future__ import annotations

import pytest

from bot.domain.identity import EnvironmentSecrets, Given
from bot.domain.policy import parse_policy
from bot.domain.ports.terraform import InputVariable
from bot.domain.secrets import WELL_KNOWN, SecretEntry, entries_of, missing_of, settings_of

POLICY = parse_policy(
    'settings = ["TEAM"]\n[stack.infra]\nroot = "infra"\n'
    '[env.staging]\nsettings = ["TF_VAR_owner"]\n[env.prod]\nvar_files = ["a.tfvars", "{env}.tfvars"]\n',
    "policy",
)
PLAIN = InputVariable("region", "infra/variables.tf", 3)


def test_settings_are_what_is_well_known_and_what_the_policy_lists() -> None:
    assert settings_of(POLICY, "staging") == WELL_KNOWN | {"TEAM", "TF_VAR_owner"}
    assert settings_of(POLICY, "prod") == WELL_KNOWN | {"TEAM"}
    assert {"AWS_REGION", "AWS_DEFAULT_REGION", "GOOGLE_PROJECT"} <= WELL_KNOWN


def test_listing_settings_makes_plans_of_that_environment_stale_alone() -> None:
    bare = parse_policy('[stack.infra]\nroot = "infra"\n[env.staging]\n', "policy")
    none = parse_policy('[stack.infra]\nroot = "infra"\n[env.staging]\nsettings = []\n', "policy")
    assert bare.digest("infra", "staging") == none.digest("infra", "staging")
    assert bare.digest("infra", "staging") != POLICY.digest("infra", "staging")


@pytest.mark.parametrize("value", ["true", "false", "null"])
def test_what_every_plan_is_full_of_is_not_hidden(value: str) -> None:
    assert EnvironmentSecrets.split({"DEBUG": value, "TOKEN": "True"}).hidden() == ("True",)


def test_entries_by_name_and_phase() -> None:
    secrets = EnvironmentSecrets.split(
        {"PLAN_KEY": "r", "APPLY_KEY": "w", "APPLY_TOKEN": "t", "AWS_REGION": "eu-1"},
        {"PLAN_KEY": Given("file", "STAGING_PLAN_KEY"), "AWS_REGION": Given("command", "AWS_REGION")},
    )
    region = Given("command", "AWS_REGION")
    assert entries_of(secrets, {"AWS_REGION"}) == (
        SecretEntry("AWS_REGION", True, region, region),
        SecretEntry("KEY", False, Given("file", "STAGING_PLAN_KEY"), Given("environment", "APPLY_KEY")),
        SecretEntry("TOKEN", False, None, Given("environment", "APPLY_TOKEN")),
    )


@pytest.mark.parametrize(
    ("variable", "secrets", "phases", "step"),
    [
        (PLAIN, {"TF_VAR_region": "x"}, None, ""),
        (PLAIN, {"PLAN_TF_VAR_region": "x"}, None, ""),
        (
            PLAIN,
            {"APPLY_TF_VAR_region": "x", "region": "y"},
            ("plan",),
            "Add `region = …` to `envs/staging.tfvars`, or set `STAGING_TF_VAR_region` where the bot runs.",
        ),
        (
            InputVariable("db", "v.tf", 1, sensitive=True),
            {},
            ("plan",),
            "Set `STAGING_TF_VAR_db` where the bot runs.",
        ),
        (
            InputVariable("db", "v.tf", 1, ephemeral=True),
            {},
            ("plan", "apply"),
            "Set `STAGING_TF_VAR_db` where the bot runs.",
        ),
        (
            InputVariable("db", "v.tf", 1, ephemeral=True),
            {"PLAN_TF_VAR_db": "x"},
            ("apply",),
            "Set `STAGING_APPLY_TF_VAR_db` where the bot runs.",
        ),
        (InputVariable("db", "v.tf", 1, ephemeral=True), {"TF_VAR_db": "x"}, None, ""),
    ],
)
def test_what_is_missing_and_how_to_set_it(
    variable: InputVariable, secrets: dict[str, str], phases: tuple[str, ...] | None, step: str
) -> None:
    found = missing_of(EnvironmentSecrets.split(secrets), POLICY, "staging", "infra", (variable,))
    assert [(one.phases, one.next_step) for one in found] == ([(phases, step)] if phases else [])


def test_the_last_var_file_wins_so_it_is_named() -> None:
    (one,) = missing_of(EnvironmentSecrets.split({}), POLICY, "prod", "infra", (PLAIN,))
    assert one.next_step.startswith("Add `region = …` to `prod.tfvars`")


def test_a_hostile_name_writes_no_markup() -> None:
    hostile = InputVariable("x` [a](https://evil.example) `", "v.tf", 1)
    (one,) = missing_of(EnvironmentSecrets.split({}), POLICY, "staging", "infra", (hostile,))
    assert "](" not in one.next_step
    assert one.next_step.count("`") == 6
