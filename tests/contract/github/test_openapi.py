"""Every request that the adapter sends and every answer of the stand-in, against GitHub's own description."""

from __future__ import annotations

import contextlib
from contextlib import closing
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest

from bot.domain.ports.forge import Annotation, CheckRun, Deployment, ForgeError
from bot.playground.github.workflow_records import WorkflowStep
from tests.contract.github.described import problems
from tests.integration.github.world import REPO, World, make

pytestmark = pytest.mark.npm
WORKFLOW = """name: run
run-name: run ${{ inputs.run }}
on:
  workflow_dispatch:
    inputs:
      run:
        type: string
"""


def everything(world: World) -> None:
    """All that the adapter can send, and a few things that are refused."""
    hub, forge, number = world.hub, world.forge, world.number
    hub.review(REPO, number, author="bob", state="APPROVED")
    asked = hub.comment(REPO, number, author="ann", body="/plan")
    forge.me()
    forge.repository(REPO)
    forge.repositories()
    pull = forge.pull(REPO, number)
    forge.pulls(REPO)
    forge.reviews(REPO, number)
    forge.head_of(REPO, "feature")
    for login in ("ann", "bob", "carol", "nobody"):
        forge.role(REPO, login)
    hub.create_team("acme", "platform", ["bob", "carol"])
    for team in ("acme/platform", "acme/nobody", "nobody/platform"):
        forge.members(team)
    forge.authors(REPO, [pull.head_sha])
    comment = forge.comment(REPO, number, "hello <!-- key -->")
    forge.edit_comment(REPO, comment.id, "hi <!-- key -->")
    forge.find_comment(REPO, number, "<!-- key -->")
    forge.react(REPO, asked, "eyes")
    forge.react(REPO, asked, "rocket", instead_of=["eyes"])
    check = CheckRun("towpath/dev", pull.head_sha, "in_progress", None, "Planning", "…")
    check_id = forge.check(REPO, check).id
    done = CheckRun(
        "towpath/dev", pull.head_sha, "completed", "failure", "No", "…", "log", "http://x/", "run-1"
    )
    annotation = Annotation("infra/main.tf", 1, 2, "No such thing", "It is not declared.")
    forge.check(REPO, replace(done, annotations=(annotation,)), check_id or None)
    if check_id:
        assert forge.annotations_of(REPO, check_id) == 1
    step = WorkflowStep("terraform plan", "failure", ("Error: ExpiredToken",))
    hub.run_workflow(REPO, pull.head_sha, {"plan": [step]})
    (job,) = forge.failed_jobs(REPO, pull.head_sha)
    assert "ExpiredToken" in forge.job_log(REPO, job.id, 10_000)
    hub.commit_files(
        REPO, "main", {".github/workflows/run.yml": WORKFLOW}, author="carol", message="Workflow"
    )
    world.app.permissions["actions"] = "write"
    forge.dispatch_workflow(REPO, "run.yml", "main", {"run": "1"})
    (run,) = forge.dispatched_runs(REPO, "run.yml", datetime.now(UTC) - timedelta(minutes=1))
    assert forge.workflow_run(REPO, run.id) == run
    assert (run.title, run.status, run.actor) == ("run 1", "queued", forge.me())
    forge.cancel_workflow(REPO, run.id)
    queued = hub.queued_workflow()
    assert queued is not None
    assert queued.cancelled
    hub.end_workflow(queued, "cancelled", {"result-1": b"sealed"})
    assert forge.workflow_artifact(REPO, run.id, "result-1") == b"sealed"
    assert forge.workflow_artifact(REPO, run.id, "result-2") is None
    for file, inputs in (("nope.yml", {}), ("run.yml", {"other": "1"})):
        with contextlib.suppress(ForgeError):
            forge.dispatch_workflow(REPO, file, "main", inputs)
    with contextlib.suppress(ForgeError):
        forge.cancel_workflow(REPO, run.id)
    forge.find_check(REPO, pull.head_sha, "towpath/dev")
    deployment = forge.deploy(REPO, Deployment(pull.head_sha, "dev", "Apply", {"run": "1"}))
    forge.deployment_state(REPO, deployment, "in_progress", log_url="http://x/log", description="…")
    forge.deployment_state(REPO, deployment, "success", environment_url="http://x/")
    hub.commit_files(REPO, "feature", {"big.bin": b"\0" * 1_100_000}, author="ann", message="Big")
    for path in ("infra/main.tf", "infra", "nope", "big.bin"):
        forge.file(REPO, "feature", path)
    hub.commit_files(REPO, "main", {".github/CODEOWNERS": "* nonsense\n"}, author="carol", message="Owners")
    forge.codeowners_errors(REPO, "main")
    forge.redeliver_missed(datetime.now(UTC) - timedelta(days=1))
    hub.merge_pull(REPO, number, actor="bob")
    forge.authors(REPO, [forge.pull(REPO, number).merge_sha])
    forge.pulls_of(REPO, forge.pull(REPO, number).merge_sha)
    assert [one.number for one in forge.merged_pulls(REPO, "main")] == [number]
    opened = forge.open_issue(REPO, "staging: apply failed", "why <!-- episode -->")
    found = forge.find_issue(REPO, "<!-- episode -->")
    assert found == opened
    assert forge.find_issue(REPO, "<!-- another -->") is None
    forge.comment(REPO, opened.number, "Fixed.")
    forge.edit_issue(REPO, opened.number, title="staging: applied", body="why", state="closed")
    with contextlib.suppress(ForgeError):
        forge.edit_issue(REPO, 99, state="closed")
    hub.state.repo(REPO).has_issues = False
    with contextlib.suppress(ForgeError):
        forge.open_issue(REPO, "staging: apply failed", "")
    with contextlib.suppress(ForgeError):
        forge.comment(REPO, number, "x" * 65_537)
    with contextlib.suppress(ForgeError):
        forge.edit_comment(REPO, 1, "gone")
    with contextlib.suppress(ForgeError):
        forge.head_of(REPO, "nope")


@pytest.mark.parametrize("token", [False, True], ids=["app", "token"])
def test_the_adapter_and_the_stand_in_speak_githubs_language(tmp_path: Path, token: bool) -> None:
    with closing(make(tmp_path / "git", token=token)) as world:
        hook = "http://127.0.0.1:9/"
        from bot.playground.github.records import Hook

        world.app.hook = Hook(world.hub.state.next_id(), hook, "s", frozenset(["issue_comment"]))
        world.hub.comment(REPO, world.number, author="ann", body="does not arrive")
        assert world.hub.webhooks.drain()
        everything(world)
    wrong = [
        problem
        for one in world.hub.exchanges
        if not one.path.endswith("/graphql") and not one.path.startswith("/_stored/")
        for problem in problems(one)
    ]
    assert not wrong, "\n".join(wrong)
    assert len(world.hub.exchanges) > 30


PEOPLE: list[tuple[str, str, Any]] = [
    ("GET", "/user", None),
    ("GET", "/users/bob", None),
    ("GET", "/rate_limit", None),
    ("GET", "/repos/{repo}/branches", None),
    ("GET", "/repos/{repo}/commits", None),
    ("GET", "/repos/{repo}/commits/{sha}", None),
    ("GET", "/repos/{repo}/compare/main...feature", None),
    ("GET", "/repos/{repo}/pulls/1/files", None),
    ("GET", "/repos/{repo}/pulls/1/commits", None),
    ("GET", "/repos/{repo}/issues/1/comments", None),
    ("GET", "/repos/{repo}/deployments", None),
    ("GET", "/repos/{repo}/actions/runs", None),
    ("GET", "/repos/{repo}/commits/{sha}/statuses", None),
    ("POST", "/repos/{repo}/pulls/1/reviews", {"event": "APPROVE"}),
    ("POST", "/repos/{repo}/pulls/1/reviews", {"event": "COMMENT", "body": ""}),
    ("PUT", "/repos/{repo}/pulls/1/reviews/{review}", {"body": "Fine"}),
    ("PUT", "/repos/{repo}/pulls/1/reviews/{review}/dismissals", {"message": "No", "event": "DISMISS"}),
    ("PUT", "/repos/{repo}/pulls/1/reviews/{review}/dismissals", {"message": "Again"}),
    ("GET", "/orgs/acme/teams/platform", None),
    ("GET", "/orgs/acme/teams/platform/members", None),
    ("GET", "/orgs/acme/teams/nobody", None),
    ("POST", "/repos/{repo}/statuses/{sha}", {"state": "success", "description": "d" * 141}),
    ("POST", "/repos/{repo}/check-runs", {"name": "x", "head_sha": "{sha}"}),
    ("POST", "/repos/{repo}/pulls", {"title": "Again", "head": "feature", "base": "main"}),
    ("PATCH", "/repos/{repo}/pulls/1", {"state": "closed"}),
    ("PATCH", "/repos/{repo}/pulls/1", {"state": "open"}),
    ("PUT", "/repos/{repo}/pulls/1/merge", {"sha": "0" * 40}),
    ("PUT", "/repos/{repo}/pulls/1/merge", {"merge_method": "rebase"}),
    ("PUT", "/repos/{repo}/pulls/1/merge", {"merge_method": "squash"}),
    ("POST", "/repos/{repo}/issues", {"title": " "}),
    ("POST", "/repos/{repo}/issues", {"title": "Broken", "body": "b" * 65_537}),
    ("POST", "/repos/{repo}/issues", {"title": "Broken", "body": "It is."}),
    ("GET", "/repos/{repo}/issues/2", None),
    ("PATCH", "/repos/{repo}/issues/2", {"state": "closed", "state_reason": "not_planned"}),
    ("GET", "/repos/{repo}/issues?state=all&direction=asc", None),
    ("POST", "/repos/{repo}/issues/2/comments", {"body": "Fixed."}),
    ("GET", "/repos/{repo}/issues/99", None),
    ("GET", "/repos/{repo}/pulls?state=closed&per_page=1", None),
    ("GET", "/repos/acme/nothing", None),
    ("GET", "/app", None),
]


def test_people_over_the_api(tmp_path: Path) -> None:
    with closing(make(tmp_path / "git")) as world:
        token = world.hub.user("bob").token
        world.hub.create_team("acme", "platform", ["bob"])
        review = world.hub.review(REPO, world.number, author="bob", state="APPROVED")
        answers = []
        with httpx.Client(
            base_url=world.hub.url, headers={"Authorization": f"token {token}"}, trust_env=False
        ) as bob:
            for method, path, body in PEOPLE:
                filled = (
                    {key: value.replace("{sha}", world.sha) for key, value in body.items()} if body else None
                )
                answer = bob.request(
                    method, path.format(repo=REPO, sha=world.sha, review=review), json=filled
                )
                answers.append(answer.status_code)
            anonymous = bob.get(f"/repos/{REPO}", headers={"Authorization": ""})
    reviewed = [200, 422, 200, 200, 422, 200, 200, 404]
    refused = [422, 403, 422, 200, 200, 409, 200, 405]
    issues = [422, 422, 201, 200, 200, 200, 201, 404]
    assert answers == [*[200] * 13, *reviewed, *refused, *issues, 200, 404, 401]
    assert anonymous.status_code == 404
    wrong = [problem for one in world.hub.exchanges for problem in problems(one)]
    assert not wrong, "\n".join(wrong)


def test_the_check_has_teeth(tmp_path: Path) -> None:
    """A wrong request and a wrong answer are found."""
    with closing(make(tmp_path / "git")) as world:
        world.forge.comment(REPO, world.number, "hello")
    said = next(one for one in world.hub.exchanges if one.method == "POST" and one.path.endswith("/comments"))
    assert problems(said) == []
    assert problems(replace(said, body=b'{"text": "hello"}'))
    assert problems(replace(said, answer=said.answer.replace(b'"node_id"', b'"knot_id"')))
    assert problems(replace(said, status=202))
    assert problems(replace(said, path="/repos/acme/infra/remarks"))
