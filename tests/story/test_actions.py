"""Plans and applies in GitHub Actions, without a server: both workflows, step by step from their YAML, with real Terraform."""

from __future__ import annotations

import json
from pathlib import Path

import pyrage

from tests.story import orders
from tests.story.actions_world import REPOSITORY, ActionsWorld
from tests.story.bucket import Bucket

PLAIN = """[stack.infra]
root = "infra"
when_modified = ["infra/**", "envs/*.tfvars"]
[stack.infra.backend]
kind = "s3"
[env.staging]
on_pull_request = "plan"
"""
STATE = {
    "version": 4,
    "terraform_version": "1.5.0",
    "serial": 1,
    "lineage": "9f8a3bb0-0000-0000-0000-000000000000",
    "outputs": {},
    "resources": [
        {
            "mode": "managed",
            "type": "terraform_data",
            "name": "old",
            "provider": 'provider["terraform.io/builtin/terraform"]',
            "instances": [
                {
                    "schema_version": 0,
                    "attributes": {"id": "one", "input": None, "output": None, "triggers_replace": None},
                }
            ],
        }
    ],
}
"""A state with a resource that no configuration has: the next plan destroys it."""


def test_what_was_reviewed_is_applied_after_the_merge_and_promoted(tmp_path: Path, bucket: Bucket) -> None:
    with ActionsWorld(tmp_path / "world", bucket) as world:
        number = world.propose("bigger-web")
        planned = world.plan(number)
        assert planned.jobs["plan"].result == "success", planned.log
        (comment,) = world.comments(number)
        assert "+3" in comment
        assert "playground_cluster.main" in comment
        assert "/apply" not in comment  # nobody listens for commands
        assert comment.split("<!--")[0].strip() in planned.jobs["plan"].summary
        assert not world.clouds["staging"].things("server")

        push = world.merge(number)
        unapproved = world.apply(*push)
        assert unapproved.jobs["staging"].result == "success", unapproved.log
        assert unapproved.jobs["prod"].result == "failure"
        assert "::error::prod still needs 1 approval" in unapproved.log
        assert "prod was not applied" in world.comments(number)[2]
        world.github.review(REPOSITORY, number, author="bob", state="APPROVED")
        applied = world.apply(*push, failed=unapproved)
        assert {name: job.result for name, job in applied.jobs.items()} == {
            "staging": "success",
            "prod": "success",
        }, applied.log
        assert world.clouds["staging"].things("server")
        assert world.clouds["prod"].things("server")
        assert bucket.names() == ["prod/terraform.tfstate", "staging/terraform.tfstate"]
        assert len(world.comments(number)) == 3
        assert "Approved by" in world.comments(number)[2]

        assert list(unapproved.artifacts) == ["artifacts-staging"]
        assert not applied.artifacts  # prod keeps none
        (kubeconfig,) = unapproved.artifacts["artifacts-staging"].iterdir()
        assert kubeconfig.name == "kubeconfig.age"
        clear = pyrage.decrypt(kubeconfig.read_bytes(), [world.identity])
        assert b"staging-main" in clear
        for text in (
            unapproved.log,
            applied.log,
            planned.log,
            *world.comments(number),
            kubeconfig.read_bytes().decode("latin1"),
        ):
            assert clear.decode() not in text
            assert world.key not in text
            assert "cloud-token-of" not in text


def test_what_was_not_reviewed_or_differs_is_not_applied(tmp_path: Path, bucket: Bucket) -> None:
    with ActionsWorld(tmp_path / "world", bucket, PLAIN) as world:
        number = world.propose("bigger-web")
        assert world.plan(number).jobs["plan"].result == "success"
        push = world.merge(number, method="merge")

        (entry,) = [one for one in world.github.timeline(REPOSITORY, number) if one["kind"] == "comment"]
        reviewed = entry["body"]
        forged = reviewed.replace("towpath-reviewed:e", "towpath-reviewed:f")
        assert forged != reviewed
        world.github.edit_comment(entry["id"], actor="bob", body=forged)
        refused = world.apply(*push)
        assert refused.jobs["staging"].result == "failure"
        assert "has no plan for staging that this repository's key has signed" in refused.log
        world.github.edit_comment(entry["id"], actor="bob", body=reviewed)

        bucket.put("staging/terraform.tfstate", json.dumps(STATE).encode())
        differs = world.apply(*push)
        assert differs.jobs["staging"].result == "failure"
        assert "::error::The plan for staging is not the one that was reviewed" in differs.log
        assert "Not in the reviewed plan: `terraform_data.old`" in differs.log
        assert "`terraform_data.old`" in world.comments(number)[1]
        assert json.loads(bucket.get("staging/terraform.tfstate"))["serial"] == 1
        assert not world.clouds["staging"].things("server")

        number = world.propose("broken")
        planned = world.plan(number)
        assert planned.jobs["plan"].result == "failure"
        assert "::error file=infra/servers.tf,line=12,title=plan staging::Error: Reference" in planned.log
        direct = world.tip()
        world.github.commit_files(
            REPOSITORY, "main", {"infra/dns.tf": None}, author="bob", message="Without a pull request"
        )
        refused = world.apply(direct, world.tip())
        assert refused.jobs["staging"].result == "failure"
        assert "is not the merge of one pull request" in refused.log
        behind = world.apply(*world.merge(number, method="merge"))
        assert behind.jobs["staging"].result == "failure"
        assert f"`main` has other files of `infra` than #{number} had" in behind.log
        assert not world.clouds["staging"].things("server")


def test_a_state_that_cannot_be_uploaded_leaves_the_job_encrypted(tmp_path: Path, bucket: Bucket) -> None:
    with ActionsWorld(tmp_path / "world", bucket, PLAIN) as world:
        number = world.propose("bigger-web")
        assert world.plan(number).jobs["plan"].result == "success"
        bucket.closed.set()
        applied = world.apply(*world.merge(number))
        bucket.closed.clear()
        assert applied.jobs["staging"].result == "failure"
        assert world.clouds["staging"].things("server")
        (state,) = applied.artifacts["artifacts-staging"].iterdir()
        assert state.name == "errored.tfstate.age"
        clear = json.loads(pyrage.passphrase.decrypt(state.read_bytes(), world.key))
        assert "playground_server" in [one["type"] for one in clear["resources"]]
        assert "could not be uploaded. It is in this run's artifacts" in applied.log


ORDERED = """[stack.app]
root = "app"
after = ["network"]
inputs = { vpc_id = "network.vpc_id" }
[stack.app.backend]
kind = "s3"
[stack.network]
root = "network"
[stack.network.backend]
kind = "s3"
[env.staging]
on_pull_request = "plan"
"""


def test_stacks_are_planned_and_applied_in_order_with_their_inputs(tmp_path: Path, bucket: Bucket) -> None:
    with ActionsWorld(tmp_path / "world", bucket, ORDERED, orders.FILES) as world:
        both = world.change({**orders.network("vpc-1"), **orders.app("large")}, "both")
        planned = world.plan(both)
        assert planned.jobs["plan"].result == "failure"
        assert (
            "needs the output `vpc_id` of staging/network as `vpc_id`, but nothing was applied" in planned.log
        )
        assert "Re-run the workflow when that has changed." in world.comments(both)[0]

        outputs = {"vpc_id": {"value": "vpc-1", "type": "string"}}
        state = STATE | {"resources": [], "outputs": outputs}
        bucket.put("staging/network/terraform.tfstate", json.dumps(state).encode())
        assert world.plan(both).jobs["plan"].result == "success"
        assert "large in vpc-1" in world.comments(both)[0]
        applied = world.apply(*world.merge(both))
        results = {name: job.result for name, job in applied.jobs.items()}
        assert results == {"staging-network": "success", "staging-app": "success"}, applied.log
        assert list(results) == ["staging-network", "staging-app"]
        assert b"large in vpc-1" in bucket.get("staging/app/terraform.tfstate")
