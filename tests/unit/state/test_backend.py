"""The http backend's protocol, request by request."""

from __future__ import annotations

import base64
import hashlib
from datetime import UTC, datetime, timedelta

import pytest

from bot.domain.ports.state import Grant
from bot.domain.states.model import LockInfo
from bot.state.backend import Backend
from bot.state.messages import MAX_STATE, Request, Response
from tests.contract.state_store import A, B, MemoryStates, state

SECRET = "secret"
NOW = datetime(2026, 11, 23, 12, tzinfo=UTC)
OURS, THEIRS = LockInfo("1", who="ann").dump(), LockInfo("2", who="bob").dump()


class Caller:
    """One run's requests."""

    def __init__(
        self, states: MemoryStates, user: str = "r1", *, write: bool = True, lockless: bool = False
    ) -> None:
        self.user = user
        self.backend = Backend(states, lambda: NOW)
        with states.begin() as tables:
            expires_at = NOW + timedelta(hours=1)
            grant = Grant(A, user, write, expires_at, commit="c1", actor="ann", lockless=lockless)
            tables.credentials.issue(user, SECRET, grant)

    def __call__(
        self,
        method: str,
        body: bytes = b"",
        *,
        lock: str = "",
        key: str = A,
        password: str = SECRET,
        **headers: str,
    ) -> Response:
        pair = base64.b64encode(f"{self.user}:{password}".encode()).decode()
        sent = {"authorization": f"Basic {pair}", "content-length": str(len(body)), **headers}
        sent = {name.replace("_", "-"): value for name, value in sent.items() if value}
        return self.backend.handle(Request(method, key, sent, {"ID": lock} if lock else {}, body))


@pytest.fixture
def states() -> MemoryStates:
    return MemoryStates()


@pytest.fixture
def call(states: MemoryStates) -> Caller:
    return Caller(states)


def test_a_whole_apply(call: Caller, states: MemoryStates) -> None:
    assert call("GET").status == 204
    assert call("LOCK", OURS).status == 200
    assert call("LOCK", OURS).status == 200
    body = state(1)
    digest = base64.b64encode(hashlib.md5(body, usedforsecurity=False).digest()).decode()
    assert call("POST", body, lock="1", content_md5=digest).status == 200
    assert call("POST", body, lock="1").status == 200
    assert call("UNLOCK", OURS).status == 200
    assert call("UNLOCK", OURS).status == 200
    answer = call("GET")
    assert (answer.status, answer.body, answer.content_type) == (200, body, "application/json")
    (version,) = states.versions(A, 9)
    assert (version.run_id, version.commit, version.actor) == ("r1", "c1", "ann")


@pytest.mark.parametrize("header", ["", "Basic", "Basic !!", "Basic /w==", "Basic cjE=", "Bearer secret"])
def test_no_credentials_no_state(call: Caller, header: str) -> None:
    answer = call("GET", authorization=header)
    assert answer.status == 401
    assert answer.headers["WWW-Authenticate"].startswith("Basic")


def test_wrong_and_expired_credentials(call: Caller, states: MemoryStates) -> None:
    assert call("GET", password="wrong").status == 401
    digest, _ = states.kept["r1"]
    states.kept["r1"] = (digest, Grant(A, "r1", write=True, expires_at=NOW))
    assert call("GET").status == 401


def test_another_target_and_a_reader(call: Caller, states: MemoryStates) -> None:
    assert call("GET", key=B).status == 403
    reader = Caller(states, "r2", write=False)
    assert reader("GET").status == 204
    for method in ("POST", "LOCK", "UNLOCK", "DELETE"):
        assert reader(method, OURS).status == 403


def test_a_write_needs_the_lock(call: Caller, states: MemoryStates) -> None:
    assert call("POST", state(1)).status == 409
    assert call("POST", state(1), lock="1").status == 409
    other = Caller(states, "r2", lockless=True)
    assert other("POST", state(1)).status == 200
    assert call("LOCK", OURS).status == 200
    assert call("POST", state(2), lock="2").status == 409
    assert other("POST", state(2)).status == 409
    assert call("DELETE").status == 409
    assert call("DELETE", lock="1").status == 200
    assert call("GET").status == 204
    assert len(states.versions(A, 9)) == 1


def test_contention_names_the_holder(call: Caller, states: MemoryStates) -> None:
    other = Caller(states, "r2")
    assert call("LOCK", OURS).status == 200
    refused = other("LOCK", THEIRS)
    assert (refused.status, refused.body) == (423, OURS)
    assert other("UNLOCK", THEIRS).status == 409
    assert other("UNLOCK").status == 200
    assert other("LOCK", THEIRS).status == 200


@pytest.mark.parametrize(
    ("body", "headers", "status"),
    [
        (b"", {}, 400),
        (b"no state", {}, 400),
        (state(1), {"content_md5": "AAAA"}, 400),
        (state(1), {"content_length": str(MAX_STATE + 1)}, 413),
        (state(1), {"content_length": "-1"}, 413),
        (state(3), {}, 409),
        (state(9, "two"), {}, 409),
    ],
)
def test_bad_writes(call: Caller, body: bytes, headers: dict[str, str], status: int) -> None:
    assert call("LOCK", OURS).status == 200
    assert call("POST", state(5), lock="1").status == 200
    assert call("POST", body, lock="1", **headers).status == status
    assert call("GET").body == state(5)


def test_bad_locks_and_methods(call: Caller) -> None:
    assert call("LOCK", b"x").status == 400
    assert call("UNLOCK", b"x").status == 400
    assert call("PATCH").status == 405
