"""A plan holds the digest of the policy that it was made under. Should the same file get another digest, every plan in
flight would be refused as stale. So these digests stay, whatever the classes and fields are called. Those of the shipped
example change only with its values."""

from __future__ import annotations

from pathlib import Path

import pytest

from bot.domain.policy.loader import EXAMPLE, parse_policy
from bot.domain.policy.model import PATH

EVERY_KEY = """
branches = ["release/*"]

[stack.infra]
root = "./infra/"
when_modified = ["infra/**", "envs/*.tfvars"]
environments = ["ci", "staging", "prod"]
[stack.infra.backend]
kind = "s3"
bucket = "acme-state"
key = "{stack}/{env}.tfstate"
region = "eu-central-1"
endpoint = "https://account.r2.example.com"

[stack.network]
root = "network"

[env.ci]
on_pull_request = "verify"
on_merge = ""
instance = "pr-{pr}"
ttl = "2d"
url = "https://pr-{pr}.example.com"
laptop = true

[env.staging]
on_merge = "apply"
var_files = ["envs/common.tfvars", "./envs/{env}-{stack}.tfvars"]
secrets_prefix = "STAGE_"
lock_expires = "48h"
drift = "6h"
timeout = "90m"
parallelism = 4
artifacts = ["kubeconfig", "ca.crt"]
approvals = {}
force = {}
freeze = []
[[env.staging.smoke]]
name = "health"
http = "{output.url}/healthz"
status = [200, 204]
contains = "ok"
within = "60s"
every = "2s"
timeout = "10s"
[[env.staging.smoke]]
tcp = "{output.db}:5432"
[[env.staging.smoke]]
command = ["kubectl", "get", "nodes"]
[[env.staging.smoke]]
command = "kubectl get 'nodes'"
[[env.staging.smoke]]
http = "https://example.com"
status = 200

[env.prod]
promote_from = "staging"
soak = "15m"
production = true
local = false
plan_needs = "approval"
plan_expires = "12h"
force = { users = ["@ann"], teams = [] }
freeze = [
  { deny = "0 17 * * FRI", for = "64h", time_zone = "Europe/Berlin", reason = "weekend" },
  { allow = "0 9 * * *", for = "12h", actions = ["apply", "plan"] },
]
[env.prod.approvals]
count = 2
codeowners = true
self = false
expires = "24h"
teams = ["@acme/platform"]
users = ["ann", "@Bob"]
"""
SHIPPED = (Path(__file__).parents[3] / PATH).read_text()


@pytest.mark.parametrize(
    ("text", "digests"),
    [
        (
            SHIPPED,
            {
                "dev/infra": "14842da73c257d7799513b3891d85b017e6dbba26c75e000c3b6d866807f163b",
                "ci/infra": "1197545bd5a659ba0163a8b8321ba902837df1fa6f7195aeaefb038dcb4727a2",
                "test/infra": "0a0faee684c8f422c12e398e5193c0b1006a75262c8719385edf80f8ebc9dd54",
                "staging/infra": "a2d635713ccddc245087916bdac18d1aaf3cfe8fce05425908ac97092a471d54",
                "prod/infra": "ca17e093f3e6b23d1c8bbcb0d65a8a377a48a21b9ca2745494ba31c1cde5a1e3",
            },
        ),
        (
            EXAMPLE,
            {
                "staging/infra": "f20ed621a6a425a6fb022571096e65fc34266b1a0522df87252511441e21be84",
                "prod/infra": "9547ac10479cdb93df65f8d5bfc7b3655405c48dc72ad56b5912f934915aa80f",
            },
        ),
        (
            EVERY_KEY,
            {
                "ci/infra": "2247aadd71b13982ac4227addb45577cc4bd989307112cec7405272248dd9b8f",
                "staging/infra": "1f4432a24d5a79a17c23f93fd961ad4e4124542b7f0e640d087ac244310ed674",
                "prod/infra": "1d15ec9954440b3f4fee4dd51fb800af26326f857717a1cc0f8c9eb02482aec8",
                "ci/network": "2893b6ad80a02dc30c9a649abbcaa9a597a7b130463677b91de1bbe75854cd9d",
                "staging/network": "3112cecbaf2e09509aca6cc9cb7e3a210cb206be6293aad6971aa8720bc9b4ff",
                "prod/network": "eab01aad23d162410d3eb0025a31ef5ee8a959ff888022dfaf87103064b883e5",
            },
        ),
    ],
    ids=["shipped", "minimal", "every key"],
)
def test_a_file_keeps_its_digests(text: str, digests: dict[str, str]) -> None:
    policy = parse_policy(text, PATH)
    found = {
        f"{env}/{stack}": policy.digest(stack, env) for stack in policy.stacks for env in policy.environments
    }
    assert found == digests


def test_a_default_that_is_written_out_counts_as_a_change() -> None:
    """Tables inside an environment count with the keys that the file gives, and an empty one counts as none."""
    written = EXAMPLE + "\napprovals = { count = 1 }"
    assert parse_policy(written, PATH).digest("infra", "prod") != parse_policy(EXAMPLE, PATH).digest(
        "infra", "prod"
    )
    assert parse_policy(EXAMPLE + "\napprovals = {}", PATH).digest("infra", "prod") == parse_policy(
        EXAMPLE, PATH
    ).digest("infra", "prod")
