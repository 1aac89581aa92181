"""The HTTP entry: sizes, health, metrics, and the intake behind it."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator

import pytest
from starlette.applications import Starlette

from bot.intake.github import GitHubIntake
from bot.storage.inbox import DeliveryRows
from bot.web import app as web
from bot.web.app import build
from tests.unit.services.asgi import Client
from tests.unit.services.webhooks import comment, headers


def made(intake: GitHubIntake, *, token: str = "", problems: dict[str, str] | None = None) -> Starlette:
    return build(github=intake, slack=None, ready=lambda: problems or {}, metrics_token=token)


def test_a_webhook_is_kept(intake: GitHubIntake, inbox: DeliveryRows) -> None:
    body = json.dumps(comment()).encode()
    answer = Client(made(intake)).post("/github/webhook", content=body, headers=headers(body))
    assert (answer.status_code, answer.text) == (202, "stored\n")
    assert len(inbox.pending(10)) == 1


def test_header_names_may_be_written_in_capitals(intake: GitHubIntake) -> None:
    body = json.dumps(comment()).encode()
    given = {name.upper(): value for name, value in headers(body).items()}
    assert Client(made(intake)).post("/github/webhook", content=body, headers=given).status_code == 202


def test_an_unsigned_webhook_is_refused(intake: GitHubIntake, inbox: DeliveryRows) -> None:
    assert Client(made(intake)).post("/github/webhook", content=b"{}").status_code == 401
    assert inbox.pending(10) == []


@pytest.mark.parametrize("length", ["99999999999", "x", "1e3"])
def test_a_body_that_says_it_is_too_large_is_not_read(intake: GitHubIntake, length: str) -> None:
    answer = Client(made(intake)).post("/github/webhook", content=b"{}", headers={"content-length": length})
    assert answer.status_code == 413


def test_a_body_that_does_not_end_is_read_no_further_than_allowed(
    intake: GitHubIntake, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(web, "MAX_PAYLOAD", 1000)
    sent = 0

    async def endless() -> AsyncIterator[bytes]:
        nonlocal sent
        while sent < 100_000:
            sent += 100
            yield b"x" * 100

    signed = {"x-hub-signature-256": f"sha256={'0' * 64}"}
    assert Client(made(intake)).post("/github/webhook", content=endless(), headers=signed).status_code == 413
    assert sent < 2000


@pytest.mark.parametrize("signature", ["", "sha1=" + "0" * 40, "sha256=" + "0" * 63, f"sha256={'0' * 65}"])
def test_a_body_that_cannot_be_signed_is_not_read(intake: GitHubIntake, signature: str) -> None:
    sent = 0

    async def endless() -> AsyncIterator[bytes]:
        nonlocal sent
        while sent < 100_000:
            sent += 100
            yield b"x" * 100

    signed = {"x-hub-signature-256": signature}
    assert Client(made(intake)).post("/github/webhook", content=endless(), headers=signed).status_code == 401
    assert sent < 2000


def test_slack_is_off_where_it_is_off(intake: GitHubIntake) -> None:
    assert Client(made(intake)).post("/slack/events", content=b"{}").status_code == 404


def test_entries_take_posts_only(intake: GitHubIntake) -> None:
    client = Client(made(intake))
    assert client.get("/github/webhook").status_code == 405
    assert client.get("/slack/events").status_code == 405


def test_alive_and_ready(intake: GitHubIntake) -> None:
    client = Client(made(intake))
    assert client.get("/healthz").text == "alive\n"
    ready = client.get("/readyz")
    assert (ready.status_code, ready.json()) == (200, {"ready": True, "problems": {}})


def test_alive_and_not_ready(intake: GitHubIntake) -> None:
    client = Client(made(intake, problems={"database": "Unavailable"}))
    assert client.get("/healthz").status_code == 200
    ready = client.get("/readyz")
    assert (ready.status_code, ready.json()) == (
        503,
        {"ready": False, "problems": {"database": "Unavailable"}},
    )


def test_metrics_without_a_token_are_for_this_machine(intake: GitHubIntake) -> None:
    assert Client(made(intake), client="203.0.113.9").get("/metrics").status_code == 401
    assert Client(made(intake), client="127.0.0.1").get("/metrics").status_code == 200
    assert Client(made(intake), client="::1").get("/metrics").status_code == 200
    for header in ("X-Forwarded-For", "X-Real-IP", "Forwarded", "Via"):
        assert Client(made(intake)).get("/metrics", headers={header: "127.0.0.1"}).status_code == 401


@pytest.mark.parametrize("given", ["", "Bearer ", "Bearer wrong", "Basic right", "Bearer é"])
def test_metrics_with_a_token_are_for_whoever_has_it(intake: GitHubIntake, given: str) -> None:
    app = made(intake, token="right")
    refused = Client(app).get("/metrics", headers=[("authorization", given.encode())])
    assert refused.status_code == 401
    allowed = Client(app, client="203.0.113.9").get("/metrics", headers={"authorization": "Bearer right"})
    assert allowed.status_code == 200


def test_metrics_count_deliveries(intake: GitHubIntake) -> None:
    client = Client(made(intake))
    client.post("/github/webhook", content=b"{}")
    assert 'towpath_deliveries_total{platform="github",status="401"}' in client.get("/metrics").text
