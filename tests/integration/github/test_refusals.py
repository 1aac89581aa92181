"""What the stand-in refuses, as GitHub does: sizes, words, roles, permissions, credentials."""

from __future__ import annotations

import threading
from datetime import timedelta
from typing import Any

import httpx
import pytest

from bot.playground.github.access import issue_token
from bot.playground.github.state import Refusal
from tests.integration.github.world import REPO, World

AT = f"/repos/{REPO}"


def ask(world: World, who: str, method: str, path: str, body: Any = None) -> httpx.Response:
    """A request by a user, by the bot (`bot`, with all of the App's permissions), or by nobody (empty)."""
    if who == "bot":
        token, _ = issue_token(world.hub.state, world.app)
    else:
        token = world.hub.user(who).token if who else ""
    return ask_by(world, token, method, path, body)


def ask_by(world: World, token: str, method: str, path: str, body: Any = None) -> httpx.Response:
    headers = {"Authorization": f"Bearer {token}"} if token else {}
    with httpx.Client(base_url=world.hub.url, headers=headers, trust_env=False) as client:
        return client.request(method, path, json=body)


def check(world: World, **more: Any) -> dict[str, Any]:
    return {"name": "towpath/dev", "head_sha": world.sha, **more}


def action(**more: str) -> list[dict[str, str]]:
    return [{"label": "Apply", "description": "Apply it", "identifier": "apply", **more}]


@pytest.mark.parametrize(
    ("more", "status"),
    [
        ({"actions": action()}, 201),
        ({"actions": action(label="x" * 21)}, 422),
        ({"actions": action(description="x" * 41)}, 422),
        ({"actions": action(identifier="x" * 21)}, 422),
        ({"actions": action() * 4}, 422),
        ({"output": {"title": "t", "summary": "x" * 65_535}}, 201),
        ({"output": {"title": "t", "summary": "x" * 65_536}}, 422),
        ({"output": {"title": "t", "summary": "ü" * 40_000}}, 422),
        ({"output": {"title": "t", "summary": "s", "text": "x" * 65_536}}, 422),
        ({"status": "completed"}, 422),
        ({"status": "done"}, 422),
        ({"conclusion": "splendid"}, 422),
        ({"head_sha": "0" * 40}, 422),
    ],
)
def test_check_runs(world: World, more: dict[str, Any], status: int) -> None:
    assert ask(world, "bot", "POST", f"{AT}/check-runs", check(world, **more)).status_code == status


@pytest.mark.parametrize(
    ("who", "method", "path", "body", "status"),
    [
        ("bob", "POST", "/check-runs", {"name": "x", "head_sha": "0" * 40}, 403),
        ("", "GET", "", None, 404),
        ("dave", "GET", "", None, 404),
        ("dave", "GET", "/pulls/1", None, 404),
        ("ann", "GET", "/pulls/99", None, 404),
        ("ann", "GET", "/pulls/x", None, 404),
        ("erin", "PUT", "/pulls/1/merge", {}, 403),
        ("bot", "PUT", "/pulls/1/merge", {}, 403),
        ("ann", "POST", "/issues/1/comments", {"body": ""}, 422),
        ("ann", "POST", "/issues/1/comments", {"body": 5}, 422),
        ("ann", "POST", "/issues/1/comments", {}, 422),
        ("ann", "POST", "/issues/99/comments", {"body": "x"}, 404),
        ("ann", "POST", "/pulls/1/reviews", {"event": "APPROVE"}, 422),
        ("bob", "POST", "/deployments", {"ref": "nope"}, 422),
        ("bob", "POST", "/deployments", {"ref": "main", "description": "x" * 141}, 422),
        ("erin", "POST", "/deployments", {"ref": "main"}, 403),
        ("bob", "GET", "/installation", None, 401),
        ("ann", "GET", "/contents/nothing", None, 404),
        ("ann", "POST", "/pulls", {"title": "x", "head": "main", "base": "main"}, 422),
    ],
)
def test_what_is_refused(world: World, who: str, method: str, path: str, body: Any, status: int) -> None:
    answer = ask(world, who, method, AT + path, body)
    assert answer.status_code == status
    assert answer.json()["message"]
    assert answer.json()["status"] == str(status)


def test_deployments_wait_for_checks_unless_told_not_to(world: World) -> None:
    ask(world, "bot", "POST", f"{AT}/check-runs", check(world, status="in_progress"))
    body = {"ref": "feature", "auto_merge": False}
    assert ask(world, "bob", "POST", f"{AT}/deployments", body).status_code == 409
    made = ask(world, "bob", "POST", f"{AT}/deployments", {**body, "required_contexts": []})
    assert made.status_code == 201
    states = f"{AT}/deployments/{made.json()['id']}/statuses"
    assert ask(world, "bob", "POST", states, {"state": "splendid"}).status_code == 422
    assert (
        ask(world, "bob", "POST", states, {"state": "success", "description": "x" * 141}).status_code == 422
    )


def test_comments_belong_to_their_authors(world: World) -> None:
    comment = world.hub.comment(REPO, world.number, author="bob", body="mine")
    path = f"{AT}/issues/comments/{comment}"
    assert ask(world, "erin", "PATCH", path, {"body": "ours"}).status_code == 403
    assert ask(world, "bot", "PATCH", path, {"body": "ours"}).status_code == 403
    assert ask(world, "ann", "PATCH", path, {"body": "ours"}).status_code == 200
    assert ask(world, "ann", "POST", f"{path}/reactions", {"content": "thumbs"}).status_code == 422
    again = [
        ask(world, "ann", "POST", f"{path}/reactions", {"content": "eyes"}).status_code for _ in range(2)
    ]
    assert again == [201, 200]


def test_installation_tokens_end(world: World) -> None:
    (token, issued), (other, _) = (issue_token(world.hub.state, world.app) for _ in range(2))
    assert ask_by(world, token, "GET", AT).status_code == 200
    issued.expires_at -= timedelta(hours=2)
    answer = ask_by(world, token, "GET", AT)
    assert (answer.status_code, answer.json()["message"]) == (401, "Bad credentials")
    world.app.suspended_at = world.hub.state.now()
    assert ask_by(world, other, "GET", AT).status_code == 401


def test_a_page_refuses_as_well(world: World) -> None:
    with pytest.raises(Refusal, match="Unprocessable"):
        world.hub.review(REPO, world.number, author="ann", state="APPROVED")
    with pytest.raises(Refusal, match="Validation Failed"):
        world.hub.open_pull(REPO, author="ann", head="feature", title="Again")
    with pytest.raises(Refusal):
        world.hub.create_repo(REPO, {})
    world.hub.set_draft(REPO, world.number, actor="ann", draft=True)
    with pytest.raises(Refusal, match="draft"):
        world.hub.merge_pull(REPO, world.number, actor="bob")


def test_many_threads_at_once(world: World) -> None:
    failed: list[Exception] = []

    def talk(name: int) -> None:
        try:
            for number in range(5):
                world.forge.comment(REPO, world.number, f"{name}/{number}")
                world.forge.pull(REPO, world.number)
        except Exception as error:
            failed.append(error)

    threads = [threading.Thread(target=talk, args=(name,)) for name in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failed == []
    said = [e["body"] for e in world.hub.timeline(REPO, world.number) if e["kind"] == "comment"]
    assert sorted(said) == sorted(f"{name}/{number}" for name in range(8) for number in range(5))
    assert len(world.hub.state.tokens) == 2, "one to comment, one to read pull requests"
