"""What travels from a reviewed plan to the merge: nothing that can be read, nothing that can be forged."""

from __future__ import annotations

import base64
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest

from bot.domain.actions import (
    LONGEST,
    Difference,
    Promoted,
    ReviewedPlans,
    apply_jobs,
    difference,
    plan_job,
    planned_changes,
    read_promoted,
    read_reviewed,
    reviewed_plan,
    signed,
    unused_secrets,
    write_promoted,
)
from bot.domain.actors import SYSTEM
from bot.domain.policy import parse_policy
from bot.domain.release import Release
from bot.domain.target import Target

KEY = "k" * 32
STAGING = Target("acme/infra", "infra", "staging")
NOW = datetime(2030, 1, 2, tzinfo=UTC)


def entry(address: str, actions: list[str], **change: Any) -> dict[str, Any]:
    return {"address": address, "change": {"actions": actions, **change}}


def plan(*entries: dict[str, Any], **outputs: Any) -> dict[str, Any]:
    return {"resource_changes": list(entries), "output_changes": outputs}


CREATE = entry(
    "a.b", ["create"], before=None, after={"name": "x", "password": "hunter2"}, after_unknown={"id": True}
)


def reviewed(*entries: dict[str, Any], key: str = KEY) -> ReviewedPlans:
    plans = {STAGING.key: reviewed_plan(planned_changes(plan(*entries)), key)}
    return ReviewedPlans("acme/infra", 7, "c" * 40, "t" * 40, NOW, plans)


def test_only_what_changes_counts() -> None:
    before = {"size": 1, "seen": "yesterday"}
    one = entry("a.b", ["update"], before=before, after={"size": 2, "seen": "yesterday"}, after_unknown={})
    two = entry(
        "a.b",
        ["update"],
        before=before | {"seen": "today"},
        after={"size": 2, "seen": "today"},
        after_unknown={},
    )
    assert planned_changes(plan(one)) == planned_changes(plan(two))
    assert planned_changes(plan(entry("a.c", ["no-op"], before=before, after=before))) == {}


@pytest.mark.parametrize(
    "other",
    [
        entry(
            "a.b",
            ["create"],
            before=None,
            after={"name": "y", "password": "hunter2"},
            after_unknown={"id": True},
        ),
        entry(
            "a.b",
            ["create"],
            before=None,
            after={"name": "x", "password": "hunter3"},
            after_unknown={"id": True},
        ),
        entry("a.b", ["create"], before=None, after={"name": "x", "password": "hunter2"}, after_unknown={}),
        entry("a.b", ["delete", "create"], before={"name": "x"}, after={"name": "x", "password": "hunter2"}),
        CREATE | {"previous_address": "a.old"},
    ],
    ids=["value", "secret", "known", "action", "moved"],
)
def test_a_difference_is_named(other: dict[str, Any]) -> None:
    was, now = (reviewed_plan(planned_changes(plan(one)), KEY) for one in (CREATE, other))
    assert difference(was, now) == Difference(other=("a.b",))
    assert "Planned differently: `a.b`." in difference(was, now).text
    assert not difference(was, was)


def test_what_is_new_and_what_is_gone_are_named() -> None:
    other = entry("a.`new`", ["delete"], before={"name": "x"}, after=None)
    found = difference(*(reviewed_plan(planned_changes(plan(one)), KEY) for one in (CREATE, other)))
    assert (found.added, found.gone) == (("a.`new`",), ("a.b",))
    assert "a.`new`" not in found.text  # it comes from a pull request


def test_outputs_and_action_invocations_count() -> None:
    outputs = {"url": {"actions": ["update"], "after": "b"}, "same": {"actions": ["no-op"]}}
    found = planned_changes(
        plan(**outputs) | {"action_invocations": [{"address": "action.x.y", "trigger": 1}]}
    )
    assert list(found) == ["output.url", "action.x.y (invocation 1)"]


def test_two_changes_of_one_address_are_not_guessed_at() -> None:
    with pytest.raises(ValueError, match=r"two changes of a\.b"):
        planned_changes(plan(CREATE, CREATE))
    deposed = entry("a.b", ["delete"], before={}, after=None) | {"deposed": "0a1b"}
    assert set(planned_changes(plan(CREATE, deposed))) == {"a.b", "a.b (deposed 0a1b)"}


def test_a_signed_plan_comes_back_as_it_was() -> None:
    plans = reviewed(CREATE)
    line = signed(plans, KEY)
    assert read_reviewed(f"text\n{line}\n", [KEY]) == (plans, KEY)
    assert "hunter2" not in line
    assert read_reviewed("text", [KEY]) is None


def test_neither_another_key_nor_a_changed_letter_is_believed() -> None:
    line = signed(reviewed(CREATE), KEY)
    assert read_reviewed(line, ["o" * 32]) is None
    content, _, signature = line.removeprefix("<!-- towpath-reviewed:").partition(".")
    other = "A" if content[20] != "A" else "B"
    assert (
        read_reviewed(f"<!-- towpath-reviewed:{content[:20]}{other}{content[21:]}.{signature}", [KEY]) is None
    )


def test_a_plan_that_an_older_key_signed_is_read_with_it() -> None:
    line = signed(reviewed(CREATE, key="old" * 12), "old" * 12)
    assert read_reviewed(line, [KEY, "old" * 12]) == (reviewed(CREATE, key="old" * 12), "old" * 12)


def test_a_digest_tells_nothing_without_the_key() -> None:
    one, two = (reviewed_plan(planned_changes(plan(CREATE)), key) for key in (KEY, "o" * 32))
    assert one.changes["a.b"] != two.changes["a.b"]


def test_a_plan_too_large_for_a_comment_keeps_its_digest() -> None:
    many = [entry(f"module.m{number}.a.b", ["delete"], before={}, after=None) for number in range(2000)]
    line = signed(reviewed(*many), KEY)
    assert len(line) <= LONGEST
    found = read_reviewed(line, [KEY])
    assert found is not None
    was = found[0].targets[STAGING.key]
    assert not difference(was, reviewed(*many).targets[STAGING.key])
    assert difference(was, reviewed(CREATE).targets[STAGING.key]) == Difference(unnamed=True)


def test_a_release_is_handed_on_and_nobody_else_can_make_one() -> None:
    release = Release(
        "r",
        STAGING,
        "run",
        "d",
        "c" * 40,
        7,
        SYSTEM,
        3,
        NOW,
        verified_at=NOW,
        checks=({"name": "x", "ok": True},),
    )
    one = Promoted(release, {"kind": "s3", "config": {"bucket": "b", "key": "k"}})
    line = write_promoted(one, KEY)
    assert read_promoted(line, [KEY]) == one
    assert read_promoted(line, ["o" * 32]) is None
    signature, _, text = line.partition(" ")
    other = base64.b64encode(base64.b64decode(text).replace(b'"pull": 7', b'"pull": 8')).decode()
    assert other != text
    assert read_promoted(f"{signature} {other}", [KEY]) is None
    assert write_promoted(replace(one, release=replace(release, verified_at=None)), KEY) != line


POLICY = """
[stack.infra]
root = "infra"
[stack.net]
root = "net"
environments = ["staging"]
[env.ci]
on_pull_request = "plan"
instance = "pr-{pr}"
[env.staging]
on_pull_request = "plan"
identity = { aws = { plan = "arn:aws:iam::123456789012:role/p", apply = "arn:aws:iam::123456789012:role/a" } }
[env.test]
[env.prod]
on_pull_request = "plan"
promote_from = "staging"
artifacts = ["kubeconfig"]
"""


def test_each_job_gets_its_own_secrets_and_waits_for_what_it_is_promoted_from() -> None:
    policy = parse_policy(POLICY, "test")
    names = [
        "CI_X",
        "STAGING_X",
        "STAGING_PLAN_Y",
        "STAGING_APPLY_Z",
        "PROD_X",
        "TOWPATH_TERRAFORM_BIN",
        "OTHER",
    ]
    planning = plan_job(policy, names)
    assert planning.secrets == ("CI_X", "STAGING_X", "STAGING_PLAN_Y", "PROD_X", "TOWPATH_TERRAFORM_BIN")
    assert planning.identity
    jobs = {job.id: job for job in apply_jobs(policy, names)}
    assert list(jobs) == ["staging", "prod", "staging-net"]
    assert jobs["staging"].secrets == (
        "STAGING_X",
        "STAGING_PLAN_Y",
        "STAGING_APPLY_Z",
        "TOWPATH_TERRAFORM_BIN",
    )
    assert jobs["prod"].secrets == ("PROD_X", "TOWPATH_TERRAFORM_BIN")
    assert (jobs["staging"].needs, jobs["prod"].needs) == ((), ("staging",))
    assert (jobs["staging"].identity, jobs["prod"].identity) == (True, False)
    assert jobs["staging-net"].title == "staging/net"
    assert unused_secrets(policy, names) == ["OTHER"]


def test_the_job_of_a_stack_waits_for_those_of_the_stacks_before_it() -> None:
    stages = '[env.staging]\non_pull_request = "plan"\n[env.prod]\non_pull_request = "plan"\npromote_from = "staging"\n'
    stacks = '[stack.app]\nroot = "app"\nafter = ["db"]\n[stack.db]\nroot = "db"\nafter = ["net"]\n[stack.net]\nroot = "net"\n'
    jobs = apply_jobs(parse_policy(stacks + stages, "test"), [])
    assert {job.id: job.needs for job in jobs} == {
        "staging-net": (),
        "prod-net": ("staging-net",),
        "staging-db": ("staging-net",),
        "prod-db": ("staging-db", "prod-net"),
        "staging-app": ("staging-db", "staging-net"),
        "prod-app": ("staging-app", "prod-db", "prod-net"),
    }
    assert [job.stack for job in jobs] == ["net", "net", "db", "db", "app", "app"], "in their order"
