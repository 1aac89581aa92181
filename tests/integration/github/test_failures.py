"""Limits, silence, lost answers, tokens that end: what the caller is told, and what is never sent twice."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from bot.domain.ports.forge import CheckRun, ForgeError
from bot.github.client import connect
from bot.github.rate_limit import Bucket, Pace
from bot.github.tokens import AppCredentials
from tests.integration.github.world import REPO, World

COMMENTS = f"/repos/{REPO}/issues/1/comments"


def comments(world: World) -> list[str]:
    return [e["body"] for e in world.hub.timeline(REPO, world.number) if e["kind"] == "comment"]


def test_a_comment_against_502_goes_out_once(world: World) -> None:
    world.hub.faults.add("POST", "/comments", 502, times=5)
    with pytest.raises(ForgeError) as caught:
        world.forge.comment(REPO, world.number, "once")
    assert caught.value.status == 502
    assert caught.value.retry_after
    left = [fault.times for fault in world.hub.faults._faults]
    assert left == [4]


def test_reading_is_repeated(either: World) -> None:
    either.hub.faults.add("GET", "/pulls/", 500, times=2)
    assert either.forge.pull(REPO, either.number).number == either.number
    either.hub.faults.add("GET", "/pulls/", 500, times=3)
    with pytest.raises(ForgeError) as caught:
        either.forge.pull(REPO, either.number)
    assert caught.value.status == 500
    assert caught.value.retry_after


def test_a_lost_answer_is_found_again(either: World) -> None:
    either.hub.faults.add("POST", "/comments", "drop_response")
    with pytest.raises(ForgeError) as caught:
        either.forge.comment(REPO, either.number, "hello <!-- key -->")
    assert caught.value.status == 0
    assert caught.value.retry_after
    assert comments(either) == ["hello <!-- key -->"]
    found = either.forge.find_comment(REPO, either.number, "<!-- key -->")
    assert found is not None
    assert found.body == comments(either)[0]


def test_a_lost_check_is_found_again(world: World) -> None:
    world.hub.faults.add("POST", "/check-runs", "drop_response")
    check = CheckRun("towpath/dev", world.sha, "queued", None, "Soon", "…")
    with pytest.raises(ForgeError):
        world.forge.check(REPO, check)
    assert world.forge.find_check(REPO, world.sha, "towpath/dev") in world.hub.state.checks


def test_silence_is_a_timeout(world: World) -> None:
    client = world.client(timeout=0.3)
    assert client.me()
    client.repository(REPO)
    world.hub.faults.add("POST", "/comments", "timeout")
    with pytest.raises(ForgeError, match="did not answer in time") as caught:
        client.comment(REPO, world.number, "anyone?")
    assert caught.value.retry_after
    assert comments(world) == []
    assert client.comment(REPO, world.number, "anyone?").body == "anyone?"


def test_nobody_there() -> None:
    client = connect("http://127.0.0.1:9", token="x", retry_delay=0.0)
    with pytest.raises(ForgeError, match="could not be reached") as caught:
        client.me()
    assert caught.value.retry_after
    client.close()


def test_a_secondary_limit_is_obeyed(either: World) -> None:
    either.hub.faults.secondary_limit(retry_after=120)
    with pytest.raises(ForgeError, match="secondary rate limit") as caught:
        either.forge.comment(REPO, either.number, "too fast")
    assert caught.value.retry_after == 120
    before = len(either.hub.exchanges)
    with pytest.raises(ForgeError, match="is rate-limiting the bot") as caught:
        either.forge.pull(REPO, either.number)
    assert caught.value.retry_after
    assert 110 < caught.value.retry_after <= 120
    assert len(either.hub.exchanges) == before


def test_a_limit_without_a_time_grows(world: World) -> None:
    waits = []
    for _ in range(3):
        world.hub.faults.add("POST", "/comments", 429, message="slow down")
        with pytest.raises(ForgeError) as caught:
            world.forge.comment(REPO, world.number, "too fast")
        waits.append(caught.value.retry_after)
        world.forge._caller._blocked.clear()  # the time passes
    assert waits == [60, 120, 240]
    world.forge.comment(REPO, world.number, "better")
    world.hub.faults.add("POST", "/comments", 429, message="slow down")
    with pytest.raises(ForgeError) as caught:
        world.forge.comment(REPO, world.number, "too fast")
    assert caught.value.retry_after == 60


def test_a_short_limit_is_waited_out(either: World) -> None:
    either.hub.faults.add("POST", "/comments", 403, retry_after=0, message="secondary rate limit")
    assert either.forge.comment(REPO, either.number, "patience").body == "patience"


def test_github_counts_writes(world: World) -> None:
    world.hub.faults.writes_per_minute = 5
    for number in range(5):
        world.forge.comment(REPO, world.number, str(number))
    with pytest.raises(ForgeError, match="secondary rate limit") as caught:
        world.forge.comment(REPO, world.number, "5")
    assert caught.value.retry_after
    assert caught.value.retry_after <= 61


def test_too_much_to_write_is_told(world: World) -> None:
    client = world.client(bucket=Bucket(Pace(burst=2, per_second=1 / 600)))
    client.comment(REPO, world.number, "1")
    client.comment(REPO, world.number, "2")
    with pytest.raises(ForgeError, match="More is to be written") as caught:
        client.comment(REPO, world.number, "3")
    assert caught.value.retry_after
    assert caught.value.retry_after > 500


def test_a_plain_no_is_final(world: World) -> None:
    world.hub.faults.add("POST", "/comments", 403, message="Resource not accessible by integration")
    with pytest.raises(ForgeError, match="not accessible") as caught:
        world.forge.comment(REPO, world.number, "may I?")
    assert (caught.value.status, caught.value.retry_after) == (403, None)


def test_a_token_that_ended_is_replaced(world: World) -> None:
    world.forge.pull(REPO, world.number)
    world.hub.state.tokens.clear()
    assert world.forge.comment(REPO, world.number, "again").body == "again"
    tokens = f"/app/installations/{world.app.installation_id}/access_tokens"
    assert world.sent("POST", tokens) == 2


def test_one_token_serves_many_requests(world: World) -> None:
    for _ in range(3):
        world.forge.pull(REPO, world.number)
    assert len(world.hub.state.tokens) == 1
    user, password = world.forge.git_credentials(REPO) or ("", "")
    assert user == "x-access-token"
    assert world.hub.state.tokens[password].expires_at > datetime.now(UTC) + timedelta(minutes=15)
    world.forge.head_of(REPO, "main")
    assert len(world.hub.state.tokens) == 2
    assert world.sent("GET", f"/repos/{REPO}/installation") == 1


def test_an_app_installed_anew(world: World) -> None:
    world.forge.pull(REPO, world.number)
    world.app.installation_id += 5000
    world.hub.state.tokens.clear()
    assert world.forge.pull(REPO, world.number).number == world.number


def test_where_the_app_is_not(world: World) -> None:
    world.hub.create_repo("else/where", {"a": "b"})
    with pytest.raises(ForgeError) as caught:
        world.forge.repository("else/where")
    assert (caught.value.status, caught.value.retry_after) == (404, None)


def test_wrong_keys_and_tokens(world: World) -> None:
    other = world.hub.install_app("acme", slug="other")
    impostor = world.client(app=AppCredentials(str(world.app.id), other.private_key))
    with pytest.raises(ForgeError, match="JSON web token") as caught:
        impostor.me()
    assert (caught.value.status, caught.value.retry_after) == (401, None)
    stranger = world.client(app=AppCredentials("", ""), token="ghp_wrong")
    with pytest.raises(ForgeError, match="Bad credentials") as caught:
        stranger.pull(REPO, world.number)
    assert caught.value.status == 401
    with pytest.raises(ValueError, match="App's id and private key"):
        connect(world.hub.url)


def test_an_answer_that_is_no_json(world: World) -> None:
    import http.server
    import threading

    class Page(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200)
            self.end_headers()
            self.wfile.write(b"<html>Please log in</html>")

        def log_message(self, *_arguments: object) -> None:
            pass

    server = http.server.HTTPServer(("127.0.0.1", 0), Page)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    client = connect(f"http://127.0.0.1:{server.server_port}", token="x", retry_delay=0.0)
    for call in (client.me, client.repositories, lambda: client.file(REPO, "main", "a")):
        with pytest.raises(ForgeError, match="cannot be read"):
            call()
    client.close()
    server.shutdown()
    thread.join()
    server.server_close()
