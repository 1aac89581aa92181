"""Environments that should be alike, compared by files and by what is deployed; and what a pull request adds to that."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from bot.domain.parity import Difference, Parity
from bot.domain.refusal import Refusal
from bot.domain.states import StateInfo
from bot.domain.target import Target
from bot.services.context import Context
from bot.services.parity import Filter, compare_environments, parity_notes, pull_parity
from tests.integration.storage import samples
from tests.unit.services.world import BASE, HEAD, STACK, World

POLICY = f"{STACK}[env.dev]\n[env.ci]\ninstance = 'pr-{{pr}}'\n[env.staging]\n[env.prod]\npromote_from = 'staging'\n"
POLICY_FILE = "envs/environments.toml"
VARIABLES = b'variable "password" {\n  sensitive = true\n}\n'
ALIKE = {
    f"envs/{name}.tfvars": f'environment = "{name}"\nnodes = 1\n'.encode()
    for name in ("dev", "ci", "staging", "prod")
}
LOCK = 'provider "registry.terraform.io/hashicorp/aws" {{\n  version = "{}"\n}}\n'


@pytest.fixture
def world(context: Context) -> World:
    world = World(context, POLICY)
    world.files_now = {"infra/main.tf": VARIABLES, **ALIKE}
    return world


def found(world: World, environment: str = "staging") -> dict[str, Difference]:
    """The differences of the groups with an environment, by name."""
    parity = compare_environments(world.context, "acme/infra", Filter(environment))
    return {one.what: one for comparison in parity.comparisons for one in comparison.differences}


def values(one: Difference) -> dict[str, str | None]:
    return {name: side.value for side in one.sides for name in side.environments}


def deployed(world: World, target: Target, commit: str, **types: int) -> None:
    """A release with that many resources of each type."""
    entries = [
        {
            "type": name,
            "name": "a",
            "provider": "p",
            "instances": [{"index_key": key, "attributes": {}} for key in range(n)],
        }
        for name, n in types.items()
    ]
    document = {"version": 4, "serial": 1, "lineage": target.key, "resources": entries}
    data = json.dumps(document).encode()
    with world.context.store.begin() as tables:
        tables.states.append(target.key, data, StateInfo.parse(data))
        tables.releases.add(replace(samples.release(f"r-{target.key}", target), commit=commit))


def test_alike(world: World) -> None:
    parity = compare_environments(world.context, "acme/infra", Filter())
    assert parity.ok
    assert [one.environments for one in parity.comparisons] == [("dev", "ci"), ("staging", "prod")]
    assert parity.comparisons[0].gaps == (
        "settings, secrets, providers and modules of dev (local-only)",
        "resources of dev (nothing is deployed)",
        "providers, modules and resources of ci (nothing is deployed)",
    )


def test_variables(world: World) -> None:
    world.files_now["envs/prod.tfvars"] = b'environment = "prod"\nnodes = "1"\nsize = "l"\n'
    assert {what: one.kind for what, one in found(world).items()} == {
        "var.nodes": "type",
        "var.size": "missing",
    }
    side = found(world)["var.size"].sides[1]
    assert (side.value, side.place) == ('"l"', "envs/prod.tfvars line 3")


def test_sensitive_values_are_compared_and_hidden(world: World) -> None:
    """Those of variables that are declared so, named like secrets, or that contain one."""
    for name, word in (("staging", "one"), ("prod", "two")):
        text = f'password = "{word}"\ndb_token = "{word}"\nurl = "https://u:{word}@x"\nsize = "{word}"\n'
        world.files_now[f"envs/{name}.tfvars"] += text.encode()
    differences = found(world)
    hidden = {what: {side.hidden for side in one.sides} for what, one in differences.items()}
    assert hidden == {"var.password": {True}, "var.db_token": {True}, "var.url": {True}, "var.size": {False}}


def test_a_file_that_cannot_be_parsed_is_a_gap(world: World) -> None:
    world.files_now["envs/prod.tfvars"] = b'nodes = "'
    world.files_now["envs/staging.tfvars"] += b"more = 1\n"
    (comparison,) = compare_environments(world.context, "acme/infra", Filter("prod")).comparisons
    assert comparison.undeclared == ()
    world.files_now["infra/main.tf"] = b'variable "'
    (comparison,) = compare_environments(world.context, "acme/infra", Filter("prod")).comparisons
    assert comparison.undeclared == ()
    assert comparison.gaps[0].startswith("variables of staging and prod (`main.tf` cannot be parsed")


def test_secrets_by_name_and_run(world: World) -> None:
    world.variables = {
        "STAGING_": {"TOKEN": "hunter2", "PLAN_KEY": "hunter2", "SAME": "a"},
        "PROD_": {"TOKEN": "hunter3", "KEY": "hunter2", "SAME": "b"},
    }
    differences = found(world)
    assert {what: values(one) for what, one in differences.items()} == {
        "secret.KEY": {"staging": "for plans", "prod": "for plans and applies"}
    }
    assert "hunter" not in repr(differences)


def test_settings(world: World) -> None:
    world.policies[BASE] = POLICY.replace("[env.prod]\n", "[env.prod]\ntimeout = '2h'\n").encode()
    one = found(world)["policy.timeout"]
    assert values(one) == {"staging": "1h", "prod": "2h"}
    assert one.sides[1].place == f"{POLICY_FILE} line 8"


def test_what_is_deployed(world: World) -> None:
    """Providers and modules of the releases' commits, and resources of the recorded states."""
    staging, prod = Target("acme/infra", "infra", "staging"), Target("acme/infra", "infra", "prod")
    for commit, version in (("1" * 40, "5.0.0"), ("2" * 40, "5.1.0")):
        world.files_at[commit] = {"infra/.terraform.lock.hcl": LOCK.format(version).encode()}
    deployed(world, staging, "1" * 40, vm=3, dns=1)
    assert found(world) == {}
    deployed(world, prod, "2" * 40, vm=2, dns=1)
    differences = found(world)
    assert {what: values(one) for what, one in differences.items()} == {
        "provider.hashicorp/aws": {"staging": "5.0.0", "prod": "5.1.0"},
        "resource.vm": {"staging": "3", "prod": "2"},
    }
    assert differences["resource.vm"].sides[0].place == "serial 1 of staging"
    assert (
        differences["provider.hashicorp/aws"].sides[1].place == "infra/.terraform.lock.hcl line 1 at 2222222"
    )


def test_the_newest_instance_stands_for_its_environment(world: World) -> None:
    world.policies[BASE] = POLICY.replace("[env.dev]\n", "[env.test]\ninstance = 'pr-{pr}'\n").encode()
    for environment, number in (("ci", 9), ("test", 7), ("test", 8)):
        deployed(world, Target("acme/infra", "infra", environment, f"pr-{number}"), HEAD, vm=number)
    assert values(found(world, "ci")["resource.vm"]) == {"ci": "9", "test": "8"}


def test_declared_and_no_longer_needed(world: World) -> None:
    declared = "[[parity]]\nenvironments = ['staging', 'prod']\ndifferences = [\n"
    declared += "{ what = 'var.nodes', reason = 'fewer users' },\n{ what = 'var.gone', reason = 'x' },\n"
    declared += "{ what = 'resource.vm', reason = 'nothing is deployed yet, so it may be needed' },\n]\n"
    world.policies[BASE] = f"{POLICY}{declared}".encode()
    world.files_now["envs/prod.tfvars"] += b"nodes = 5\n"
    parity = compare_environments(world.context, "acme/infra", Filter())
    assert parity.ok
    assert [one.reason for one in parity.comparisons[0].declared] == ["fewer users"]
    assert [one.what for one in parity.unused] == ["var.gone"]


def test_unknown_words(world: World) -> None:
    for chosen, said in (
        (Filter("stagin"), "There is no environment `stagin`. Did you mean `staging`?"),
        (Filter(stack="infar"), "There is no stack `infar`. Did you mean `infra`?"),
    ):
        with pytest.raises(Refusal) as refused:
            compare_environments(world.context, "acme/infra", chosen)
        assert said in str(refused.value)


def test_what_there_is_nothing_to_compare_with(world: World) -> None:
    world.policies[BASE] = f"{STACK}[env.staging]\n[env.other]\n".encode()
    for chosen in (Filter(), Filter("other")):
        with pytest.raises(Refusal, match="have to be alike"):
            compare_environments(world.context, "acme/infra", chosen)


def test_the_example_declares_its_differences(world: World) -> None:
    """Exactly those: none is missing, and none is superfluous."""
    envs = Path(__file__).parents[3] / "envs"
    world.files_now = {"infra/main.tf": b""} | {
        f"envs/{one.name}": one.read_bytes() for one in envs.iterdir()
    }
    world.policies[BASE] = world.files_now[POLICY_FILE]
    parity = compare_environments(world.context, "acme/infra", Filter())
    assert [one.what for comparison in parity.comparisons for one in comparison.undeclared] == []
    assert parity.unused == ()


class TestPullRequests:
    """`files_at` is what the pull request changes, `files_now` what is on the base branch."""

    def change(self, world: World, **files: bytes) -> None:
        changed = {f"envs/{name}.tfvars": data for name, data in files.items()}
        world.moved = list(changed)
        world.files_at[HEAD] = {**world.files_now, **changed}

    def notes(self, world: World) -> tuple[str, ...]:
        return parity_notes(world.context, world.pull_context())

    def test_a_new_difference_is_told(self, world: World) -> None:
        self.change(world, staging=ALIKE["envs/staging.tfvars"] + b'size = "l"\n')
        (note,) = self.notes(world)
        assert note == (
            'This pull request makes staging and prod differ: `var.size` is `"l"` in staging (`envs/staging.tfvars line 3`) '
            "and missing in prod. Make them alike, or declare it in `envs/environments.toml`, in a `[[parity]]` with "
            '`environments = ["staging", "prod"]`: `differences = [{ what = "var.size", reason = "…" }]`.'
        )

    def test_one_that_was_there_is_not(self, world: World) -> None:
        """Also if its value changes."""
        world.files_now["envs/prod.tfvars"] += b"size = 1\n"
        self.change(world, prod=ALIKE["envs/prod.tfvars"] + b"size = 2\n")
        assert self.notes(world) == ()

    def test_a_declared_one_is_not(self, world: World) -> None:
        """Whether the policy in force declares it, or the pull request itself does."""
        declared = "[[parity]]\nenvironments = ['staging', 'prod']\ndifferences = [{ what = 'var.size', reason = 'x' }]\n"
        self.change(world, staging=ALIKE["envs/staging.tfvars"] + b'size = "l"\n')
        world.policies[HEAD] = (POLICY + declared).encode()
        world.moved.append(POLICY_FILE)
        assert self.notes(world) == ()
        world.moved.remove(POLICY_FILE)
        world.context.caches.parity.forget(("acme/infra", BASE, HEAD, "policy"))
        assert len(self.notes(world)) == 1
        world.policies[BASE] = world.policies[HEAD]
        world.context.caches.parity.forget(("acme/infra", BASE, HEAD, "policy"))
        world.context.caches.policies.forget(("acme/infra", BASE))
        assert self.notes(world) == ()

    def test_a_change_of_the_policy_is_told(self, world: World) -> None:
        world.policies[HEAD] = POLICY.replace("[env.prod]\n", "[env.prod]\nparallelism = 3\n").encode()
        world.moved = [POLICY_FILE]
        (note,) = self.notes(world)
        assert "`policy.parallelism` is `10` in staging" in note
        assert "`3` in prod (`envs/environments.toml line 8`)" in note

    def test_sensitive_and_hostile_values(self, world: World) -> None:
        text = b'password = "hunter2"\n"a](https://evil)" = "`@ann` <@U1> [x](https://evil)"\n'
        self.change(world, staging=ALIKE["envs/staging.tfvars"] + text.replace(b'"a](https://evil)"', b"a"))
        (note,) = self.notes(world)
        assert "`var.password` is a sensitive value in staging" in note
        assert "hunter2" not in note
        assert "`@ann`" not in note
        assert "](https" not in note

    def test_many_are_counted(self, world: World) -> None:
        more = "".join(f"v{number} = 1\n" for number in range(9))
        self.change(world, staging=ALIKE["envs/staging.tfvars"] + more.encode())
        (note,) = self.notes(world)
        assert "`var.v4`" in note
        assert "`var.v5`" not in note
        assert "and 4 more, see `/parity`" in note

    def test_a_policy_with_too_many_groups(self, world: World, monkeypatch: pytest.MonkeyPatch) -> None:
        """Nobody who opens a pull request can keep the bot busy with it."""
        many = "".join(f"[stack.s{number}]\nroot = 'infra'\n" for number in range(199))
        world.policies[HEAD] = f"{many}{POLICY}".encode()
        world.moved = [POLICY_FILE]
        monkeypatch.setattr(world, "sensitive_variables", lambda *_: pytest.fail("files were read"))
        (note,) = self.notes(world)
        assert "too many environments" in note

    def test_git_is_asked_once(self, world: World, monkeypatch: pytest.MonkeyPatch) -> None:
        """Every look at a pull request asks for the notes."""
        self.change(world, staging=ALIKE["envs/staging.tfvars"] + b"size = 1\n")
        assert len(self.notes(world)) == 1
        monkeypatch.setattr(world, "read", lambda *_: pytest.fail("git was asked again"))
        assert len(self.notes(world)) == 1
        world.moved = ["infra/main.tf"]
        assert self.notes(world) == ()

    def test_the_command_reads_its_files(self, world: World) -> None:
        self.change(world, staging=ALIKE["envs/staging.tfvars"] + b"size = 1\n")
        parity: Parity = pull_parity(world.context, world.pull_context(), Filter("staging"))
        assert (parity.pull, parity.commit) == (7, HEAD)
        assert [one.what for one in parity.comparisons[0].undeclared] == ["var.size"]
        assert found(world) == {}


def test_it_is_not_asked_of_merged_pull_requests(world: World) -> None:
    world.open_pull(state="merged")
    pull_context: Any = world.pull_context()
    world.moved = [POLICY_FILE]
    assert parity_notes(world.context, pull_context) == ()
