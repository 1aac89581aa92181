"""Requests that nobody we know has sent: refused, never a fault, and nothing of them is kept."""

from __future__ import annotations

import hashlib
import hmac
import http.client
import json
import time
from pathlib import Path

import httpx
import pytest
import sqlalchemy as sa

from bot.playground.world import World
from bot.storage.engines import open_engine

SECRET = "TOWPATH_GITHUB_WEBHOOK_SECRET"


def deliveries(world: World) -> int:
    """How many are kept."""
    engine = open_engine(f"sqlite:///{Path(world.environment()['TOWPATH_DATA_DIR']) / 'inbox.db'}")
    with engine.connect() as connection:
        count = connection.scalar(sa.text("SELECT count(*) FROM deliveries"))
    engine.dispose()
    return int(count or 0)


def hook(world: World, body: bytes, *, secret: str | None = None, **headers: str) -> httpx.Response:
    """A webhook; signed rightly unless a secret or a signature is given."""
    key = (world.environment()[SECRET] if secret is None else secret).encode()
    sent = {
        "X-GitHub-Event": "issue_comment",
        "X-GitHub-Delivery": "5f0c8a3e-0000-0000-0000-000000000001",
        "X-Hub-Signature-256": "sha256=" + hmac.new(key, body, hashlib.sha256).hexdigest(),
        "Content-Type": "application/json",
        **{name.replace("_", "-"): value for name, value in headers.items()},
    }
    sent = {name: value for name, value in sent.items() if value}
    return httpx.post(f"{world.bot.url}/github/webhook", content=body, headers=sent, timeout=10)


def slash(
    world: World, body: bytes, *, age: int = 0, secret: str | None = None, **headers: str
) -> httpx.Response:
    """A slash command of Slack's, `age` seconds old."""
    stamp = str(int(time.time()) - age)
    key = (world.slack.state.signing_secret if secret is None else secret).encode()
    base = b"v0:" + stamp.encode() + b":" + body
    sent = {
        "X-Slack-Request-Timestamp": stamp,
        "X-Slack-Signature": "v0=" + hmac.new(key, base, hashlib.sha256).hexdigest(),
        "Content-Type": "application/x-www-form-urlencoded",
        **{name.replace("_", "-"): value for name, value in headers.items()},
    }
    sent = {name: value for name, value in sent.items() if value}
    return httpx.post(f"{world.bot.url}/slack/events", content=body, headers=sent, timeout=10)


def test_github(world: World) -> None:
    """Unsigned, wrongly signed, malformed, unknown."""
    plain = json.dumps({"action": "created"}).encode()
    before, logged = deliveries(world), len(world.bot.log.read_text())
    assert hook(world, plain, secret="another").status_code == 401
    assert hook(world, plain, secret="").status_code == 401
    for signature in ("", "sha256=", "sha1=0123", "sha256=" + "0" * 64, "nonsense"):
        assert hook(world, plain, X_Hub_Signature_256=signature).status_code == 401
    for body in (b"", b"{", b"[]", b"null", b"\xff\xfe", b"[" * 100_000, plain, b'{"action": 7}'):
        assert hook(world, body).status_code == 400, body[:20]
    assert hook(world, plain, X_GitHub_Delivery="").status_code == 400
    assert hook(world, plain, X_GitHub_Event="").status_code == 400
    assert hook(world, plain, X_GitHub_Delivery="x" * 101).status_code == 400
    assert hook(world, plain, X_GitHub_Event="moon_landing").status_code == 202
    assert hook(world, b"{}", X_GitHub_Event="ping").status_code == 200
    assert deliveries(world) == before
    assert "Traceback" not in world.bot.log.read_text()[logged:]


def test_slack(world: World) -> None:
    """Unsigned, wrongly signed, old, malformed."""
    body = b"command=%2Finfra&text=status&user_id=U0ANN&team_id=T0ACME&channel_id=C0INFRA"
    before, logged = deliveries(world), len(world.bot.log.read_text())
    assert slash(world, body, secret="another").status_code == 401
    assert slash(world, body, age=330).status_code == 401
    assert slash(world, body, age=-330).status_code == 401
    for name in ("X_Slack_Signature", "X_Slack_Request_Timestamp"):
        assert slash(world, body, **{name: ""}).status_code == 401
        assert slash(world, body, **{name: "nonsense"}).status_code == 401
    for broken in (b"payload=%7B", b"payload=[]", b"payload=null"):
        assert slash(world, broken).status_code == 400, broken
    assert slash(world, b"\xff\xfe").status_code == 401  # slack_sdk verifies UTF-8 alone
    assert slash(world, b"").status_code == 200  # Bolt answers it by itself
    assert slash(world, b"{", Content_Type="application/json").status_code == 400
    assert deliveries(world) == before
    assert "Traceback" not in world.bot.log.read_text()[logged:]


@pytest.mark.parametrize("path", ["/github/webhook", "/slack/events"])
def test_larger_than_the_platforms_send(world: World, path: str) -> None:
    """Refused by its length, before it is read."""
    connection = http.client.HTTPConnection("127.0.0.1", world.bot.port, timeout=10)
    connection.putrequest("POST", path)
    connection.putheader("Content-Length", str(26 * 1024 * 1024))
    connection.endheaders()
    assert connection.getresponse().status == 413
    connection.close()


def test_states_are_closed(world: World) -> None:
    """The state backend knows nobody without a run's own credentials."""
    address = f"{world.bot.url}/state/acme/infra/infra/prod"
    for method in ("GET", "POST", "DELETE", "LOCK", "UNLOCK"):
        assert httpx.request(method, address).status_code == 401
        assert httpx.request(method, address, auth=("somebody", "guess")).status_code == 401
