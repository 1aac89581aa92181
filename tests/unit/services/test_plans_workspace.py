"""Terraform's directory: the commit's files and nothing that a repository could smuggle in, and a state that is proven."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from bot.domain.policy.loader import parse_policy
from bot.domain.ports.state import Grant
from bot.domain.ports.terraform import CommandResult, Control, GitAccess
from bot.domain.run import Run
from bot.errors import UserError
from bot.services.context import Context
from bot.services.plans.workspace import (
    OURS,
    Checkout,
    InitFailed,
    Workspace,
    parallelism,
    prepare_workspace,
    state_of,
    stored_backend,
)
from tests.contract.state_store import state
from tests.unit.services.conftest import NOW
from tests.unit.services.world import HEAD, IDENTITY, PLAIN, STACK, STAGING, World

INSTANCES = f'{STACK}[env.test]\ninstance = "pr-{{pr}}"\n'


@pytest.fixture
def world(context: Context) -> World:
    return World(context)


def checkout(world: World, **more: Any) -> Checkout:
    worktree = world.context.data_dir / "worktrees" / "w1"
    return replace(Checkout(world.pulls[7], world.policy, HEAD, worktree), **more)


def prepare(world: World, run: Run | None = None, **more: Any) -> Workspace:
    control = Control(world.context.data_dir / "journal")
    return prepare_workspace(world.context, run or world.keep_run(), checkout(world, **more), control)


def refused(world: World, **more: Any) -> UserError:
    """What refuses it; init, which runs the repository's code with secrets, was not reached."""
    with pytest.raises(UserError) as error:
        prepare(world, **more)
    assert "init" not in world.calls
    return error.value


def grant_of(world: World, env: Any) -> Grant:
    with world.context.store.read() as tables:
        grant = tables.credentials.resolve(env["USER"], env["PASSWORD"])
    assert grant is not None
    return grant


def test_it_is_checked_out_initialised_and_proven(world: World) -> None:
    made = prepare(world)
    assert world.calls == ["checkout c", "init", "prove"]
    assert (made.tree, made.work_dir.root) == ("tree", made.worktree / "infra")
    assert made.work_dir.worktree == made.worktree.resolve()
    assert made.var_files == (made.worktree / "envs" / "staging.tfvars",)


def test_terraforms_caller_knows_which_variables_are_plain_settings(world: World) -> None:
    world.policies[world.tip] = f'settings = ["TF_VAR_key_name"]\n{PLAIN}'.encode()
    world.variables = {"STAGING_": {"TF_VAR_key_name": "deploy", "AWS_REGION": "eu-1", "TOKEN": "s3cret"}}
    control = Control(world.context.data_dir / "journal")
    made = prepare_workspace(world.context, world.keep_run(), checkout(world), control)
    assert {"TF_VAR_key_name", "AWS_REGION"} <= made.work_dir.settings
    assert control.secrets == ("s3cret",)


def test_the_secrets_are_the_environments_and_modules_are_fetched_by_init_alone(world: World) -> None:
    world.variables = {"STAGING_": {"TF_VAR_a": "1"}, "PROD_": {"TF_VAR_a": "2"}}
    made = prepare(world)
    ((during, _),) = world.inits
    assert made.work_dir.env["TF_VAR_a"] == "1"
    assert during.git_access == GitAccess("https://example.com/", "x", "token")
    assert made.work_dir == replace(during, git_access=None)


@pytest.mark.parametrize(("kind", "mine"), [("plan", "read"), ("drift", "read"), ("apply", "write")])
def test_secrets_and_identity_are_those_of_plans_or_of_applies(
    context: Context, kind: Any, mine: str
) -> None:
    world = World(replace(context, issuer="https://towpath.example.com"), PLAIN + IDENTITY)
    world.variables = {"STAGING_": {"PLAN_TF_VAR_a": "read", "APPLY_TF_VAR_a": "write"}}
    made = prepare(world, world.keep_run(kind=kind))
    assert made.work_dir.env["TF_VAR_a"] == mine
    assert made.work_dir.env["AWS_ROLE_ARN"].endswith(f"role/{mine}")
    token = Path(made.work_dir.env["AWS_WEB_IDENTITY_TOKEN_FILE"])
    assert (token.parent, token.is_file()) == (made.worktree / OURS, True)


def test_code_from_a_fork_gets_none_of_it(context: Context) -> None:
    world = World(replace(context, issuer="https://towpath.example.com"), PLAIN + IDENTITY)
    world.variables = {"STAGING_": {"TF_VAR_a": "1"}}
    world.open_pull(head_repository="mallory/infra")
    made = prepare(world)
    ((during, _),) = world.inits
    assert set(made.work_dir.env) == {"USER", "PASSWORD"}
    assert during.git_access is None
    assert made.identity is None
    assert not (made.worktree / OURS).exists()


@pytest.mark.parametrize(("kind", "write"), [("plan", False), ("drift", False), ("apply", True)])
def test_its_credential_is_for_this_state_alone_and_writes_only_for_an_apply(
    world: World, kind: Any, write: bool
) -> None:
    made = prepare(world, world.keep_run(kind=kind))
    grant = grant_of(world, made.work_dir.env)
    assert (grant.target_key, grant.run_id, grant.write, grant.actor) == (STAGING.key, "r1", write, "ann")
    assert grant.expires_at == NOW + timedelta(hours=2)  # the environment's timeout, and one more


# what a repository may not do


def plant(world: World, make: Any) -> None:
    """Make something in the worktree, as the commit's checkout would."""
    worktree = checkout(world).worktree
    (worktree / "infra").mkdir(parents=True)
    make(worktree)


@pytest.mark.parametrize(
    "make",
    [
        lambda tree: (tree / ".towpath").symlink_to("/etc"),
        lambda tree: (tree / ".towpath").write_text(""),
        lambda tree: (tree / ".towpath" / "sub").mkdir(parents=True),
        lambda tree: (
            (tree / ".towpath").mkdir(),
            (tree / ".towpath" / "identity-aws.token").symlink_to("/etc/passwd"),
        ),
    ],
    ids=["link", "file", "directory inside", "link inside"],
)
def test_the_tokens_directory_is_not_the_repositorys(world: World, make: Any) -> None:
    plant(world, make)
    error = refused(world)
    assert (error.what, error.next_step) == ("The name `.towpath` is reserved for Towpath.", "Rename it.")


def test_a_token_that_an_earlier_try_left_is_removed(world: World) -> None:
    left = checkout(world).worktree / OURS / "identity-aws.token"
    plant(world, lambda tree: ((tree / OURS).mkdir(), left.touch()))
    assert prepare(world)
    assert not left.exists()


@pytest.mark.parametrize("leads_outside", [False, True])
def test_a_root_that_is_missing_or_leads_outside_is_refused(
    world: World, tmp_path: Path, leads_outside: bool
) -> None:
    policy = parse_policy(PLAIN.replace('"infra"', '"other"'), "policy")
    if leads_outside:
        plant(world, lambda tree: (tree / "other").symlink_to(tmp_path))
    error = refused(world, policy=policy)
    assert error.what == f"`other` is not a directory in this repository at `{HEAD[:7]}`."
    assert error.next_step == "Correct `root` of stack `infra` in `envs/environments.toml`."


def test_added_files_replace_a_link_and_do_not_follow_it(world: World, tmp_path: Path) -> None:
    outside = tmp_path / "outside"
    outside.write_text("kept")
    plant(world, lambda tree: (tree / "infra" / "moved.tf").symlink_to(outside))
    made = prepare(world, additions={"moved.tf": b"moved {}"})
    assert outside.read_text() == "kept"
    assert (made.work_dir.root / "moved.tf").read_bytes() == b"moved {}"


@pytest.mark.parametrize("explicit", [True, False])
def test_a_var_file_that_the_policy_names_must_exist(world: World, explicit: bool) -> None:
    del world.files_now["envs/staging.tfvars"]
    names = 'var_files = ["envs/staging.tfvars"]\n' if explicit else ""
    policy = parse_policy(PLAIN + names, "policy")
    if not explicit:
        assert prepare(world, policy=policy).var_files == ()
        return
    with pytest.raises(UserError, match=r"`envs/staging.tfvars` is missing") as error:
        prepare(world, policy=policy)
    assert error.value.next_step == "Add it, or correct `var_files` in `envs/environments.toml`."


# the state


def test_a_failed_init_is_not_proven(world: World) -> None:
    world.init_result = CommandResult(1, "no")
    with pytest.raises(InitFailed) as failed:
        prepare(world)
    assert failed.value.ended == world.init_result
    assert "prove" not in world.calls


def test_another_workspace_would_be_another_state(context: Context) -> None:
    world = World(context, INSTANCES)
    world.kind, world.workspace = "s3", "pr-8"
    target = world.policy.target("acme/infra", "infra", "test", 7)
    with pytest.raises(
        UserError, match="belongs to workspace `pr-7`, but Terraform would use `pr-8`"
    ) as error:
        prepare(world, world.keep_run(target=target))
    assert "TF_WORKSPACE" in error.value.next_step
    world.workspace = "pr-7"
    assert prepare(world, world.run()).work_dir.workspace == "pr-7"


def test_two_repositories_never_share_a_state(world: World) -> None:
    world.kind = "s3"
    other = replace(STAGING, repository="acme/other")
    world.keep_plan(target=other)
    with pytest.raises(UserError, match="would share its state with staging in acme/other"):
        prepare(world)


def test_the_built_in_address_names_the_repository(world: World) -> None:
    world.keep_plan(
        target=replace(STAGING, repository="acme/other"), backend=stored_backend(world.backend_of())
    )
    assert prepare(world)


def test_the_state_now(world: World) -> None:
    world.kind = "s3"
    assert state_of(world.context, STAGING, world.backend_of()) == ("", 0)
    world.bucket.data = state(4)
    assert state_of(world.context, STAGING, world.backend_of()) == ("one", 4)


@pytest.mark.parametrize(("given", "passed"), [("", None), ("parallelism = 3\n", 3)])
def test_parallelism_is_passed_where_the_policy_sets_it(given: str, passed: int | None) -> None:
    assert parallelism(parse_policy(PLAIN + given, "policy").environments["staging"]) == passed
