"""Where a state is, and whether a laptop's directory keeps the same one."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest

from bot.domain.states import StateInfo, StatePlace, place_in, place_of, same_place, same_version
from bot.domain.target import Target

STAGING = Target("acme/infra", "infra", "staging")
CI = Target("acme/infra", "infra", "ci", "pr-7")
R2 = "https://account.r2.example.com"
PLACE = StatePlace("s3", "pr-7", "states", "ci/terraform.tfstate", R2)
INFO = StateInfo(4, "one", "", 0, 3)


def test_the_bots_place() -> None:
    config = {"bucket": "states", "key": "ci/terraform.tfstate", "endpoints": json.dumps({"s3": R2})}
    assert place_of(CI, "s3", config) == PLACE
    assert PLACE.object == "env:/pr-7/ci/terraform.tfstate"
    assert place_of(STAGING, "s3", {"bucket": "b", "key": "k"}) == StatePlace("s3", "default", "b", "k")
    assert place_of(STAGING, "http", {}).address == "/state/acme/infra/infra/staging"
    assert str(PLACE) == (
        f"bucket states at {R2}, key ci/terraform.tfstate, workspace pr-7 (object env:/pr-7/ci/terraform.tfstate)"
    )


@pytest.mark.parametrize(
    ("config", "workspace", "wrong"),
    [
        ({}, "pr-7", []),
        ({"endpoints": None, "endpoint": R2}, "pr-7", []),
        ({"key": "env:/pr-7/ci/terraform.tfstate"}, "", []),
        ({"key": "prod/terraform.tfstate"}, "pr-7", ["key"]),
        ({}, "", ["workspace"]),
        ({"workspace_key_prefix": "ws"}, "pr-7", ["workspace_key_prefix"]),
        ({"bucket": "other"}, "pr-7", ["bucket"]),
        ({"endpoints": None}, "pr-7", ["endpoint"]),
    ],
)
def test_the_same_object(config: dict[str, Any], workspace: str, wrong: list[str]) -> None:
    """Whichever way it is written."""
    given = {"bucket": "states", "key": "ci/terraform.tfstate", "endpoints": {"s3": R2}} | config
    found = same_place(PLACE, place_in({"type": "s3", "config": given}, workspace))
    assert [one.what for one in found if not one.ok] == wrong


def test_the_way_there() -> None:
    """Commands that can be pasted into a shell."""
    (found,) = (one for one in same_place(PLACE, replace(PLACE, bucket="other")) if not one.ok)
    assert found.next_step == (
        "Run `terraform init -reconfigure -backend-config=bucket=states -backend-config=key=ci/terraform.tfstate "
        f"""-backend-config='endpoints={{"s3": "{R2}"}}'`, then `terraform workspace select -or-create pr-7`."""
    )
    assert replace(PLACE, workspace="default").next_step.endswith("`terraform workspace select default`.")
    assert "towpath state login" in place_of(STAGING, "http", {}).next_step


def test_aws_has_no_endpoint_of_its_own() -> None:
    found = list(same_place(replace(PLACE, endpoint=""), PLACE))
    assert [one.said for one in found if not one.ok] == [
        f"The endpoint of the directory is {R2}; the target's is of AWS."
    ]


def test_the_built_in_backend() -> None:
    """By the path: a bot may be reached by several names."""
    place = place_of(STAGING, "http", {"address": "https://a.example.com/state/acme/infra/infra/staging"})
    for address, ok in (
        ("http://b:8080/x/state/acme/infra/infra/staging", True),
        ("https://a.example.com/x", False),
    ):
        found = same_place(place, place_in({"type": "http", "config": {"address": address}}, ""))
        assert all(one.ok for one in found) == ok
    kinds = [one.ok for one in same_place(place, place_in({}, ""))]
    assert kinds == [False]


@pytest.mark.parametrize(
    ("expected", "found", "wrong"),
    [
        (INFO, INFO, []),
        (INFO, replace(INFO, serial=3), ["The serial of the directory is 3; Towpath reads 4."]),
        (INFO, replace(INFO, lineage="two"), ["The lineage of the directory is two; Towpath reads one."]),
        (INFO, None, ["The directory has no state, but Towpath does."]),
        (None, INFO, ["The directory has a state, but Towpath does not."]),
        (None, None, []),
    ],
)
def test_the_same_version(expected: StateInfo | None, found: StateInfo | None, wrong: list[str]) -> None:
    assert [one.said for one in same_version("the directory", expected, found) if not one.ok] == wrong
