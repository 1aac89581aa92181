"""Environments that should be alike: what the status comment, `/parity` and the command line say of real ones."""

from __future__ import annotations

import json
from typing import Any

from bot.playground.world import World
from tests.fork_server import ForkServer
from tests.story.holds import Holds
from tests.story.story import Story

MAIN = b'variable "nodes" {}\nvariable "env" {}\nresource "terraform_data" "node" {\n  count = var.nodes\n}\n'
POLICY = """[stack.infra]
root = "infra"
when_modified = ["infra/**", "envs/*.tfvars"]
[env.staging]
[env.prod]
on_pull_request = "plan"
approvals = { count = 0 }
"""
DECLARED = """[[parity]]
environments = ["staging", "prod"]
differences = [
  { what = "var.*", reason = "only prod has users" },
  { what = "resource.terraform_data", reason = "follows var.nodes" },
]
"""


def variables(env: str, nodes: int, more: str = "") -> bytes:
    return f'env = "{env}"\nnodes = {nodes}\n{more}'.encode()


FILES = {
    "infra/main.tf": MAIN,
    "envs/staging.tfvars": variables("staging", 1),
    "envs/prod.tfvars": variables("prod", 1),
    "envs/environments.toml": POLICY.encode(),
}


def test_environments_that_should_be_alike(world: World, holds: Holds, fork_server: ForkServer) -> None:
    story = Story(world, "acme/alike", FILES, holds=holds)

    def parity(*, ok: bool, **secrets: str) -> dict[str, Any]:
        """What the operator's command says."""
        done = fork_server.run(["parity", story.repository, "--json"], world.environment() | secrets)
        told: dict[str, Any] = json.loads(done.stdout)
        assert (done.returncode == 0, told["ok"]) == (ok, ok), done.stderr
        (group,) = told["groups"]
        return {one["what"]: one["sides"] for one in group["differences"]} | {"gaps": group["not_compared"]}

    assert parity(ok=True) == {
        "gaps": ["providers, modules and resources of staging and prod (nothing is deployed)"]
    }
    number = story.propose({"envs/prod.tfvars": variables("prod", 2, 'password = "hunter2"\n')})
    note = story.sees(number, "makes staging and prod differ")
    assert "`var.nodes` is `1` in staging (`envs/staging.tfvars line 2`) and `2` in prod" in note
    assert "hunter2" not in note.split("This pull request makes")[1]
    for environment in ("staging", "prod"):
        story.sees(number, f"/apply {environment}")
        story.reacted(number, story.say(number, f"/apply {environment}"), "rocket")
    story.say(number, "/parity")
    answer = story.is_told(number, "undeclared differences")
    assert "`resource.terraform_data`: `1` in staging (serial 1 of staging), `2` in prod" in answer
    assert "`var.password`: missing in staging, a sensitive value in prod" in answer
    found = parity(ok=False, STAGING_TOKEN="hunter2", PROD_TOKEN="hunter3", PROD_PLAN_PAGER="hunter4")
    assert set(found) == {"resource.terraform_data", "secret.PAGER", "gaps"}
    assert [side["value"] for side in found["secret.PAGER"]] == [None, "for plans"]
    assert found["gaps"] == []
    story.github.merge_pull(story.repository, number, actor="ann")
    story.push({"envs/environments.toml": POLICY + DECLARED}, "main")
    assert set(parity(ok=True)) == {"resource.terraform_data", "var.nodes", "var.password", "gaps"}
