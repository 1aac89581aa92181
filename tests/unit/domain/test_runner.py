"""What passes between the bot and its workflow, and which environments may be handed over."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

import pytest

from bot.domain.actions import LONGEST, reviewed_plan
from bot.domain.actions.workflow_jobs import run_jobs
from bot.domain.runner import (
    RemotePlan,
    RunnerRequest,
    RunnerResult,
    read_request,
    read_result,
    write_request,
    write_result,
)
from bot.domain.target import Target
from tests.unit.domain.test_policy_file import only, read

KEY, OTHER = "k" * 32, "o" * 32
PLAN = reviewed_plan({"terraform_data.a": "create"}, KEY)
REQUEST = RunnerRequest(
    "0" * 20,
    "apply",
    Target("acme/infra", "infra", "prod"),
    7,
    "c" * 40,
    "p" * 64,
    datetime(2030, 1, 2, tzinfo=UTC),
    "lineage",
    3,
    PLAN,
)
S3 = '[stack.infra]\nroot = "infra"\n[stack.infra.backend]\nkind = "s3"\nbucket = "states"\n'


def test_a_request_counts_as_it_was_signed_only() -> None:
    line = write_request(REQUEST, KEY)
    assert read_request(line, [OTHER, KEY]) == REQUEST
    assert read_request(line, [OTHER]) is None
    assert read_request("é.é", [KEY]) is None
    signature = line.partition(".")[0]
    other = write_request(replace(REQUEST, commit="d" * 40), KEY).partition(".")[2]
    assert read_request(f"{signature}.{other}", [KEY]) is None


def test_a_very_large_plan_travels_as_one_digest() -> None:
    large = reviewed_plan({f"terraform_data.a[{number}]": str(number) for number in range(2000)}, KEY)
    line = write_request(replace(REQUEST, reviewed=large), KEY)
    assert len(line) <= LONGEST
    found = read_request(line, [KEY])
    assert found is not None
    assert found.reviewed is not None
    assert (found.reviewed.digest, found.reviewed.abridged) == (large.digest, True)


def test_a_result_is_read_as_it_was_written() -> None:
    plan = RemotePlan(PLAN, {"pages": 1}, (b"\x00page",), True, "l", 3, "t" * 40, "b", "k", "")
    result = RunnerResult("planned", log=("a", "b"), plan=plan)
    assert read_result(write_result(result)) == result
    failed = RunnerResult("failed", "no", exit_code=1, unsaved=b"\xff{}")
    assert read_result(write_result(failed)) == failed
    with pytest.raises(ValueError, match="another version"):
        read_result(b'{"plan": null, "unsaved": null, "log": [], "more": 1}')


def test_environments_that_are_handed_over_get_a_job_each() -> None:
    policy = read(f'{S3}[env.staging]\nrunner = "actions"\n[env.prod]\n')
    assert [job.id for job in run_jobs(policy, ())] == ["staging"]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (f'{S3}[env.ci]\nrunner = "actions"\ninstance = "pr-{{pr}}"\n', "together with `instance`"),
        (f'{S3}[env.staging]\nrunner = "actions"\ndrift = "24h"\n', "together with `drift`"),
        ('[stack.infra]\nroot = "infra"\n[env.staging]\nrunner = "actions"\n', 'needs `kind = "s3"`'),
        (f'{S3}[env.staging]\nrunner = "action"\n', "actions"),
    ],
)
def test_what_a_workflow_cannot_do_is_said(text: str, said: str) -> None:
    assert said in only(text)
