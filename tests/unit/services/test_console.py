"""The console and the keys that open it."""

from __future__ import annotations

import json
import re
import threading
from dataclasses import replace
from datetime import timedelta
from typing import Literal

import pytest
from hypothesis import given
from hypothesis import strategies as st
from starlette.applications import Starlette

from bot.domain.access import GRACE
from bot.storage.database import Database
from bot.web import console
from bot.web.keys import Keys
from tests.integration.storage import samples
from tests.unit.services.asgi import Client
from tests.unit.services.conftest import NOW, Clock

KEYS = Keys("a-secret")
RUN = "0123456789abcdef0123"
HOSTILE = '</pre><script>alert("x")</script> \u2028 & <!-- \x1b[31m'


@pytest.fixture
def client(database: Database, clock: Clock) -> Client:
    with database.begin() as tables:
        tables.pulls.save_repository(samples.repository())
        tables.runs.add(samples.run(RUN, created_at=NOW))
    return Client(Starlette(routes=list(console.routes(database, KEYS, clock))))


def page(client: Client, path: str, of: str | None = None, **headers: str) -> tuple[int, str]:
    answer = client.get(path, params={"key": KEYS.of(path[1:] if of is None else of)}, headers=headers)
    return answer.status_code, answer.text


def finish(database: Database, *lines: str) -> None:
    with database.begin() as tables:
        tables.runs.add_log(RUN, lines)
        tables.runs.update(RUN, phase="finished", outcome="failed", message="<b>no</b>", finished_at=NOW)


def events(text: str) -> list[tuple[str, object]]:
    found = re.findall(r"event: (\w+)\ndata: (.*)\n\n", text)
    return [(name, json.loads(data)) for name, data in found]


# keys


@given(st.text(max_size=30), st.text(max_size=30))
def test_a_key_fits_its_page_alone(one: str, other: str) -> None:
    assert KEYS.matches(one, KEYS.of(one)) if _encodes(one) else True
    if one != other and _encodes(one) and _encodes(other):
        assert not KEYS.matches(other, KEYS.of(one))


@given(st.text())
def test_whatever_is_given_as_a_key_is_compared_without_raising(key: str) -> None:
    assert KEYS.matches("", key) is (key == KEYS.of(""))


def _encodes(text: str) -> bool:
    return not any(0xD800 <= ord(char) < 0xE000 for char in text)


def test_keys_are_of_one_secret() -> None:
    assert re.fullmatch(r"[0-9a-f]{24}", KEYS.of("x"))
    assert not Keys("another").matches("x", KEYS.of("x"))
    assert Keys("a-secret").link("https://bot", "runs/1") == f"https://bot/runs/1?key={KEYS.of('runs/1')}"


# pages


@pytest.mark.parametrize("path", ["/", f"/runs/{RUN}", f"/runs/{RUN}/events"])
def test_without_its_key_a_page_is_not_there(client: Client, path: str) -> None:
    other = KEYS.of("runs/another")
    for query in ({}, {"key": ""}, {"key": other}, {"key": "é\0"}):
        answer = client.get(path, params=query)
        assert answer.status_code == 404
        assert RUN not in answer.text


def test_a_runs_key_does_not_open_the_index(client: Client) -> None:
    assert page(client, "/", of=f"runs/{RUN}")[0] == 404
    assert page(client, f"/runs/{RUN}", of="")[0] == 404


def test_the_index_lists_runs_and_locks_with_links_that_open(client: Client, database: Database) -> None:
    with database.begin() as tables:
        tables.locks.take(samples.lock(reason="<i>load</i> test"), NOW)
    status, text = page(client, "/", of="")
    assert status == 200
    assert "&lt;i&gt;load&lt;/i&gt; test" in text
    (link,) = re.findall(r'href="(/runs/[^"]+)"', text)
    assert client.get(link.replace("&amp;", "&")).status_code == 200


def test_the_index_has_the_newest_run_first(client: Client, database: Database) -> None:
    with database.begin() as tables:
        tables.runs.add(samples.run("f" * 20, created_at=NOW + timedelta(hours=1)))
    text = page(client, "/", of="")[1]
    assert text.index("f" * 20) < text.index(RUN)


def test_an_unknown_run_is_told_from_a_wrong_key_only_to_who_has_one(client: Client) -> None:
    assert page(client, "/runs/nowhere") == (404, "No such run.\n")


def test_pages_let_nothing_else_in(client: Client) -> None:
    answer = client.get(f"/runs/{RUN}", params={"key": KEYS.of(f"runs/{RUN}")})
    policy = answer.headers["content-security-policy"]
    assert "default-src 'none'" in policy
    assert "frame-ancestors 'none'" in policy
    assert answer.headers["referrer-policy"] == "no-referrer"
    assert answer.headers["cache-control"] == "no-store"


def test_what_a_run_says_is_escaped(client: Client, database: Database) -> None:
    finish(database, "x")
    text = page(client, f"/runs/{RUN}")[1]
    assert "&lt;b&gt;no&lt;/b&gt;" in text
    assert "<b>no" not in text


# links expire with the pull request

PULL = samples.pull(closed_at=NOW + timedelta(hours=1), state="merged")
CLOSED = PULL.closed_at


def statuses(client: Client) -> set[int]:
    return {page(client, f"/runs/{RUN}{end}", of=f"runs/{RUN}")[0] for end in ("", "/events")}


def test_a_link_works_while_the_pull_request_is_open(
    client: Client, database: Database, clock: Clock
) -> None:
    finish(database, "x")
    with database.begin() as tables:
        tables.pulls.save(samples.pull())
    clock.pass_by(days=365)
    assert statuses(client) == {200}


@pytest.mark.parametrize("state", ["merged", "closed"])
def test_a_link_expires_days_after_the_pull_request_was_closed(
    client: Client, database: Database, clock: Clock, state: Literal["merged", "closed"]
) -> None:
    finish(database, "what it said")
    with database.begin() as tables:
        tables.pulls.save(replace(PULL, state=state))
    assert CLOSED is not None
    clock.at = CLOSED + GRACE - timedelta(seconds=1)
    assert statuses(client) == {200}
    clock.pass_by(seconds=1)
    assert statuses(client) == {410}
    text = page(client, f"/runs/{RUN}")[1]
    assert f"was {state} on" in text
    assert ("Reopen it" in text) == (state == "closed")
    assert PULL.url in text
    assert "what it said" not in text
    assert "href" not in page(client, "/", of="")[1], "the index has no dead link"
    with database.begin() as tables:
        tables.pulls.save(samples.pull())
    assert statuses(client) == {200}, "it was reopened"


def test_an_expired_link_is_as_unknown_as_ever_without_its_key(
    client: Client, database: Database, clock: Clock
) -> None:
    finish(database, "x")
    with database.begin() as tables:
        tables.pulls.save(PULL)
    clock.pass_by(days=30)
    assert page(client, f"/runs/{RUN}", of="runs/another")[0] == 404


def test_a_run_after_the_end_is_shown_as_long_as_it_lasts_and_a_little_longer(
    client: Client, database: Database, clock: Clock
) -> None:
    """A revert may be requested in a merged pull request."""
    with database.begin() as tables:
        tables.pulls.save(PULL)
    clock.pass_by(days=30)
    assert page(client, f"/runs/{RUN}")[0] == 200
    with database.begin() as tables:
        tables.runs.update(RUN, phase="finished", outcome="applied", finished_at=clock.at)
    clock.pass_by(days=2)
    assert statuses(client) == {200}
    clock.pass_by(days=1)
    assert statuses(client) == {410}


def test_a_run_without_a_pull_request(client: Client, database: Database, clock: Clock) -> None:
    with database.begin() as tables:
        tables.runs.update(RUN, pull=0, kind="drift", phase="finished", outcome="applied", finished_at=NOW)
    assert statuses(client) == {200}
    clock.pass_by(days=3)
    assert statuses(client) == {410}
    assert "/drift" in page(client, f"/runs/{RUN}")[1]


# the live log


def test_the_stream_of_a_finished_run_ends(client: Client, database: Database) -> None:
    finish(database, "one", "two")
    status, text = page(client, f"/runs/{RUN}/events", of=f"runs/{RUN}")
    assert status == 200
    assert events(text) == [
        ("line", "one"),
        ("line", "two"),
        ("mark", 2),
        ("phase", {"phase": "finished", "outcome": "failed"}),
        ("end", {}),
    ]


def test_a_stream_goes_on_where_it_stood(client: Client, database: Database) -> None:
    finish(database, "one", "two", "three")
    text = page(client, f"/runs/{RUN}/events", of=f"runs/{RUN}", **{"last-event-id": "2"})[1]
    assert [data for name, data in events(text) if name == "line"] == ["three"]


@pytest.mark.parametrize("mark", ["", "x", "-1", "9" * 5, "²"])
def test_a_strange_mark_breaks_nothing(client: Client, database: Database, mark: str) -> None:
    finish(database, "one")
    headers = {"last-event-id": mark.encode()}
    answer = client.get(
        f"/runs/{RUN}/events", params={"key": KEYS.of(f"runs/{RUN}")}, headers=list(headers.items())
    )
    assert answer.status_code == 200
    assert events(answer.text)[-1] == ("end", {})


def test_a_hostile_line_stays_one_line_of_data(client: Client, database: Database) -> None:
    finish(database, HOSTILE, "data: {}\n\nevent: end\ndata: {}\n\n")
    text = page(client, f"/runs/{RUN}/events", of=f"runs/{RUN}")[1]
    assert [name for name, _data in events(text)].count("end") == 1
    assert [data for name, data in events(text) if name == "line"] == [
        HOSTILE,
        "data: {}\n\nevent: end\ndata: {}\n\n",
    ]


def test_a_hostile_log_is_never_part_of_the_page(client: Client, database: Database) -> None:
    finish(database, HOSTILE)
    text = page(client, f"/runs/{RUN}")[1]
    assert "alert(" not in text
    assert "textContent" in text, "the log is appended as text"
    assert "innerHTML" not in text


def test_the_stream_follows_a_run_until_it_ends(client: Client, database: Database) -> None:
    with database.begin() as tables:
        tables.runs.add_log(RUN, ["first"])
    later = threading.Timer(0.2, finish, [database, "second"])
    later.start()
    text = page(client, f"/runs/{RUN}/events", of=f"runs/{RUN}")[1]
    later.join()
    found = events(text)
    assert [data for name, data in found if name == "line"] == ["first", "second"]
    assert [data for name, data in found if name == "phase"] == [
        {"phase": "queued", "outcome": None},
        {"phase": "finished", "outcome": "failed"},
    ]
