"""GitHub's webhooks for the tests of the intake: a small payload of each kind, and how one is signed and sent."""

from __future__ import annotations

import json
from typing import Any

from bot.github.webhook import sign
from bot.intake.github import GitHubIntake

SECRET = "s3cret"
REPOSITORY = {
    "id": 1,
    "name": "infra",
    "full_name": "Acme/Infra",
    "private": True,
    "default_branch": "main",
    "clone_url": "https://example.com/acme/infra.git",
    "html_url": "https://example.com/acme/infra",
    "owner": {"login": "acme"},
}
SENDER = {"login": "ann", "type": "User"}
PULL = {
    "number": 7,
    "title": "More",
    "state": "open",
    "draft": False,
    "merged": False,
    "html_url": "https://example.com/acme/infra/pull/7",
    "user": SENDER,
    "head": {"sha": "a" * 40, "ref": "more", "repo": REPOSITORY},
    "base": {"sha": "b" * 40, "ref": "main", "repo": REPOSITORY},
}


def comment(**more: Any) -> dict[str, Any]:
    given: dict[str, Any] = {
        "action": "created",
        "repository": REPOSITORY,
        "sender": SENDER,
        "issue": {"number": 7, "pull_request": {}},
        "comment": {
            "id": 55,
            "node_id": "N",
            "body": "/plan",
            "html_url": "https://example.com/c/55",
            "user": SENDER,
            "created_at": "2030-01-02T03:04:05Z",
        },
    }
    return given | more


PAYLOADS: dict[str, dict[str, Any]] = {
    "issue_comment": comment(),
    "pull_request": {
        "action": "opened",
        "repository": REPOSITORY,
        "sender": SENDER,
        "number": 7,
        "pull_request": PULL,
    },
    "push": {
        "repository": REPOSITORY,
        "sender": SENDER,
        "ref": "refs/heads/main",
        "before": "b" * 40,
        "after": "c" * 40,
    },
    "check_run": {
        "action": "rerequested",
        "repository": REPOSITORY,
        "sender": SENDER,
        "check_run": {"id": 9, "name": "towpath/staging", "head_sha": "a" * 40, "pull_requests": []},
    },
    "pull_request_review": {
        "action": "submitted",
        "repository": REPOSITORY,
        "sender": SENDER,
        "pull_request": PULL,
        "review": {
            "id": 77,
            "user": SENDER,
            "state": "approved",
            "body": "/apply staging",
            "commit_id": "a" * 40,
            "submitted_at": "2030-01-02T03:04:05Z",
        },
    },
    "installation": {
        "action": "created",
        "sender": SENDER,
        "repositories": [{"full_name": "Acme/Infra"}],
    },
}


def headers(body: bytes, event: str = "issue_comment", **more: str) -> dict[str, str]:
    given = {
        "content-type": "application/json",
        "x-github-event": event,
        "x-github-delivery": "d-1",
        "x-hub-signature-256": sign(SECRET, body),
    }
    return given | {name.replace("_", "-"): value for name, value in more.items()}


def send(intake: GitHubIntake, payload: Any, event: str = "issue_comment", **more: str) -> tuple[int, str]:
    body = payload if isinstance(payload, bytes) else json.dumps(payload).encode()
    return intake.receive(headers(body, event, **more), body)
