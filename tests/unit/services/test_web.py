"""The HTTP entry: sizes, health, metrics, and the door behind it."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator

import pytest
from starlette.applications import Starlette

from bot.intake.github import GitHubDoor
from bot.storage.inbox import DeliveryRows
from bot.web import app as web
from bot.web.app import build
from tests.unit.services.asking import Client
from tests.unit.services.webhooks import comment, headers


def made(door: GitHubDoor, *, token: str = "", problems: dict[str, str] | None = None) -> Starlette:
    return build(github=door, slack=None, ready=lambda: problems or {}, metrics_token=token)


def test_a_webhook_is_kept(door: GitHubDoor, inbox: DeliveryRows) -> None:
    body = json.dumps(comment()).encode()
    answer = Client(made(door)).post("/github/webhook", content=body, headers=headers(body))
    assert (answer.status_code, answer.text) == (202, "kept\n")
    assert len(inbox.pending(10)) == 1


def test_header_names_may_be_written_in_capitals(door: GitHubDoor) -> None:
    body = json.dumps(comment()).encode()
    given = {name.upper(): value for name, value in headers(body).items()}
    assert Client(made(door)).post("/github/webhook", content=body, headers=given).status_code == 202


def test_an_unsigned_webhook_is_refused(door: GitHubDoor, inbox: DeliveryRows) -> None:
    assert Client(made(door)).post("/github/webhook", content=b"{}").status_code == 401
    assert inbox.pending(10) == []


@pytest.mark.parametrize("length", ["99999999999", "x", "1e3"])
def test_a_body_that_says_it_is_too_large_is_not_read(door: GitHubDoor, length: str) -> None:
    answer = Client(made(door)).post("/github/webhook", content=b"{}", headers={"content-length": length})
    assert answer.status_code == 413


def test_a_body_that_does_not_end_is_read_no_further_than_allowed(
    door: GitHubDoor, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(web, "LARGEST", 1000)
    sent = 0

    async def endless() -> AsyncIterator[bytes]:
        nonlocal sent
        while sent < 100_000:
            sent += 100
            yield b"x" * 100

    assert Client(made(door)).post("/github/webhook", content=endless()).status_code == 413
    assert sent < 2000


def test_slack_is_off_where_it_is_off(door: GitHubDoor) -> None:
    assert Client(made(door)).post("/slack/events", content=b"{}").status_code == 404


def test_doors_open_to_posts_only(door: GitHubDoor) -> None:
    client = Client(made(door))
    assert client.get("/github/webhook").status_code == 405
    assert client.get("/slack/events").status_code == 405


def test_alive_and_ready(door: GitHubDoor) -> None:
    client = Client(made(door))
    assert client.get("/healthz").text == "alive\n"
    ready = client.get("/readyz")
    assert (ready.status_code, ready.json()) == (200, {"ready": True, "problems": {}})


def test_alive_and_not_ready(door: GitHubDoor) -> None:
    client = Client(made(door, problems={"database": "Unavailable"}))
    assert client.get("/healthz").status_code == 200
    ready = client.get("/readyz")
    assert (ready.status_code, ready.json()) == (
        503,
        {"ready": False, "problems": {"database": "Unavailable"}},
    )


def test_metrics_without_a_token_are_for_this_machine(door: GitHubDoor) -> None:
    assert Client(made(door), client="203.0.113.9").get("/metrics").status_code == 401
    assert Client(made(door), client="127.0.0.1").get("/metrics").status_code == 200
    assert Client(made(door), client="::1").get("/metrics").status_code == 200


@pytest.mark.parametrize("given", ["", "Bearer ", "Bearer wrong", "Basic right", "Bearer é"])
def test_metrics_with_a_token_are_for_whoever_has_it(door: GitHubDoor, given: str) -> None:
    app = made(door, token="right")
    refused = Client(app).get("/metrics", headers=[("authorization", given.encode())])
    assert refused.status_code == 401
    allowed = Client(app, client="203.0.113.9").get("/metrics", headers={"authorization": "Bearer right"})
    assert allowed.status_code == 200


def test_metrics_count_deliveries(door: GitHubDoor) -> None:
    client = Client(made(door))
    client.post("/github/webhook", content=b"{}")
    assert 'towpath_deliveries_total{platform="github",status="401"}' in client.get("/metrics").text
