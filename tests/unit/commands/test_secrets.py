"""`/secrets`: names, sources and what is missing, for those who may plan."""

from __future__ import annotations

from typing import Any

import pytest

from bot.domain.identity import Given
from bot.domain.ports.terraform import InputVariable
from bot.domain.refusal import Refusal
from bot.domain.run import Origin
from bot.domain.secrets import SecretEntry, SecretsReport
from bot.services.context import Context
from commands import registry
from commands.registry import CommandContext
from commands.secrets import secrets

# The fixtures' home is beside the services; these tests need the same context.
from tests.unit.services.conftest import clock, context, database  # noqa: F401
from tests.unit.services.world import ANN, BASE, HEAD, World

VARIABLES = b'variable "region" {}\n\nvariable "db_password" {\n  sensitive = true\n}\n'
POLICY = '[stack.infra]\nroot = "infra"\n[stack.more]\nroot = "more"\n[env.dev]\n[env.staging]\n'


@pytest.fixture
def world(context: Context) -> World:  # noqa: F811
    made = World(context, POLICY)
    made.variables = {"STAGING_": {"AWS_REGION": "eu-west-1", "APPLY_TOKEN": "hunter2"}}
    made.files_at = {
        HEAD: {"infra/variables.tf": VARIABLES, "envs/staging.tfvars": b'region = "eu-1"\n'},
        BASE: {"more/main.tf": b'variable "size" {}\n'},
    }
    return made


def asked(world: World, *words: str | None, pull: int = 7, **more: Any) -> SecretsReport:
    found = world.open_pull(pull, **more) if pull else None
    ctx = CommandContext(world.context, ANN, "write", Origin("d1"), "acme/infra", found)
    result = secrets(ctx, words[0] or "", words[1] if len(words) > 1 else None)
    assert isinstance(result, SecretsReport)
    return result


def test_a_pull_requests_latest_commit_is_read(world: World) -> None:
    report = asked(world, "staging")
    region, token = Given("environment", "AWS_REGION"), Given("environment", "APPLY_TOKEN")
    assert report.entries == (
        SecretEntry("AWS_REGION", True, region, region),
        SecretEntry("TOKEN", False, None, token),
    )
    (missing,) = report.missing
    assert missing.variable == InputVariable("db_password", "infra/variables.tf", 3, sensitive=True)
    assert (missing.stack, report.commit) == ("infra", HEAD)
    assert "eu-west-1" not in repr(report)
    assert "hunter2" not in repr(report)


@pytest.mark.parametrize("where", [{"pull": 0}, {"state": "merged"}, {"state": "closed"}])
def test_elsewhere_it_is_the_default_branch(world: World, where: dict[str, Any]) -> None:
    report = asked(world, "staging", **where)
    assert report.commit == BASE
    assert [one.variable.name for one in report.missing] == ["size"]


def test_one_stack(world: World) -> None:
    world.files_at[HEAD]["more/main.tf"] = b'variable "size" {}\n'
    assert [one.stack for one in asked(world, "staging").missing] == ["infra", "more"]
    assert [one.stack for one in asked(world, "staging", "more").missing] == ["more"]


def test_a_module_that_cannot_be_read_is_named_and_the_rest_is_told(world: World) -> None:
    world.files_at[HEAD]["more/main.tf"] = b'variable "size\n'
    report = asked(world, "staging")
    assert len(report.missing) == 1
    assert report.unread[0].startswith("The variables of stack `more` could not be read: `main.tf`")


@pytest.mark.parametrize(
    ("words", "more", "code"),
    [
        (("stagin",), {}, "unknown-environment"),
        (("staging", "mor"), {}, "unknown-stack"),
        (("dev",), {}, "local"),
        (("staging",), {"head_repository": "dave/infra"}, "fork"),
    ],
)
def test_refusals(world: World, words: tuple[str, ...], more: dict[str, Any], code: str) -> None:
    with pytest.raises(Refusal) as refused:
        asked(world, *words, **more)
    assert refused.value.code == code


def test_names_are_for_those_who_may_plan() -> None:
    command = registry.find("secrets")
    assert command is not None
    assert (command.role, command.scope, command.changes) == ("write", "repository", False)
