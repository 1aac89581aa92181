"""The operator's overview: every environment, and what does not work, one by one."""

from __future__ import annotations

from dataclasses import replace

from bot.cli.secrets_check import facts, told
from bot.domain.identity import EnvironmentSecrets
from bot.domain.ports.secrets import SecretsScope, SecretsUnavailable
from bot.services.context import Context
from bot.services.secrets import examine_secrets
from tests.unit.services.world import BASE, World

POLICY = '[stack.infra]\nroot = "infra"\n[env.dev]\n[env.staging]\n[env.prod]\nsecrets_prefix = "LIVE_"\n'
VARIABLES = b'variable "db_password" {\n  sensitive = true\n}\n'


def world(context: Context) -> World:
    made = World(context, POLICY)
    made.variables = {
        "STAGING_": {"TF_VAR_db_password": "hunter2", "AWS_REGION": "eu-west-1"},
        "LIVE_": {"APPLY_TOKEN": "hunter3"},
    }
    made.files_at = {BASE: {"infra/variables.tf": VARIABLES}}
    return made


def test_every_environment_that_the_bot_runs(context: Context) -> None:
    staging, prod = examine_secrets(world(context).context)
    assert told(staging) == (
        "secrets of acme/infra staging",
        True,
        "2 for plans, 2 for applies, nothing missing",
    )
    assert told(prod) == (
        "secrets of acme/infra prod",
        False,
        "db_password has no value (infra/variables.tf line 1). Set LIVE_TF_VAR_db_password where the bot runs.",
    )
    assert staging.report is not None
    assert prod.report is not None
    printed = [facts(staging.report), facts(prod.report)]
    assert not any(value in str(printed) for value in ("hunter", "eu-west-1"))
    assert printed[0]["variables"][0] == {
        "name": "AWS_REGION",
        "setting": True,
        "plan": {"source": "environment", "name": "AWS_REGION"},
        "apply": {"source": "environment", "name": "AWS_REGION"},
    }
    assert printed[1]["missing"] == [
        {
            "stack": "infra",
            "name": "db_password",
            "file": "infra/variables.tf",
            "line": 1,
            "phases": ["plan"],
            "next_step": "Set `LIVE_TF_VAR_db_password` where the bot runs.",
        }
    ]


def test_a_source_that_works_for_some_only(context: Context) -> None:
    def secrets(scope: SecretsScope) -> EnvironmentSecrets:
        if scope.environment == "prod":
            raise SecretsUnavailable("It exited with 2.", by_hand="env -i vault prod")
        return EnvironmentSecrets.split({"TF_VAR_db_password": "hunter2"})

    staging, prod = examine_secrets(replace(world(context).context, secrets=secrets))
    assert told(staging)[1]
    assert told(prod) == (
        "secrets of acme/infra prod",
        False,
        "It exited with 2. To see why, run: env -i vault prod",
    )


def test_a_policy_that_is_not_valid(context: Context) -> None:
    broken = world(context)
    broken.policies[BASE] = b"[env.staging]\n"
    (one,) = examine_secrets(broken.context)
    part, ok, found = told(one)
    assert (part, ok) == ("secrets of acme/infra", False)
    assert "there is no `[stack.…]` table" in found


def test_without_a_policy_there_is_nothing_to_say(context: Context) -> None:
    empty = world(context)
    empty.policies[BASE] = None
    assert examine_secrets(empty.context) == []
