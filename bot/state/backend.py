"""Terraform's http backend, from the server's side: requests in, answers out, no web framework.

The protocol is Terraform's `backend "http"`: GET, POST and DELETE of the state, LOCK and UNLOCK with Terraform's JSON.
Terraform repeats a request whose answer it did not get, so each of them may come twice.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import logging
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime

from bot.domain.ports.state import Claims, Grant, States, StateTables
from bot.domain.state import LockInfo, StateDamaged, StateInfo, StateRefused

_log = logging.getLogger(__name__)

MAX_STATE = 256 * 1024 * 1024
"""Bytes of the largest state that is taken; Terraform itself knows no limit."""
METHODS = ("GET", "POST", "DELETE", "LOCK", "UNLOCK")


@dataclass(frozen=True)
class Response:
    """`headers` are those besides Content-Type."""

    status: int
    body: bytes = b""
    content_type: str = "text/plain; charset=utf-8"
    headers: Mapping[str, str] = field(default_factory=dict)


def utcnow() -> datetime:
    return datetime.now(UTC)


class Backend:
    """`handle` may be called by any number of threads; each call is one transaction of `states`.

    claims: what people's own Terraform may lock; without it they can only read.
    """

    def __init__(
        self, states: States, clock: Callable[[], datetime] = utcnow, claims: Claims | None = None
    ) -> None:
        self._states = states
        self._clock = clock
        self._claims = claims

    def handle(
        self, method: str, target_key: str, query: Mapping[str, str], headers: Mapping[str, str], body: bytes
    ) -> Response:
        """Answer one request. `headers` have lower-case names.

        401: no, wrong or expired credentials. 403: those of another target, or read-only ones. 423: locked, with the
        holder's JSON. 409: a state that may not follow, an unlock of another's lock, a write without the lock.
        400 and 413: a body that is broken or too big.
        """
        known = self._known(method, target_key, headers)
        if isinstance(known, Response):
            return known
        try:
            wanted = LockInfo.parse(body) if method == "LOCK" else None
        except ValueError as broken:
            return Response(400, f"{broken}\n".encode())
        forbidden = self._claims.forbids(known, wanted) if wanted and known.person and self._claims else ""
        with self._states.read() if method == "GET" else self._states.begin() as tables:
            grant = self._admit(tables, method, target_key, headers)
            if isinstance(grant, Response):
                return grant
            try:
                if wanted is not None:
                    return self._lock(tables, grant, wanted, forbidden)
                return self._answer(tables, grant, method, query, headers, body)
            except StateDamaged as damaged:
                _log.error("%s of %s by %s: %s", method, target_key, grant.holder, damaged)
                return Response(409, f"Refused: {damaged}\n".encode())
            except StateRefused as refused:
                _log.warning("%s of %s by %s refused: %s", method, target_key, grant.holder, refused)
                return Response(409, f"Refused: {refused}\n".encode())

    def refuse(self, method: str, target_key: str, headers: Mapping[str, str]) -> Response | None:
        """What can be refused before the body is read; None where it should be."""
        known = self._known(method, target_key, headers)
        return known if isinstance(known, Response) else None

    def _known(self, method: str, target_key: str, headers: Mapping[str, str]) -> Grant | Response:
        if method not in METHODS:
            return Response(405, b"Method not allowed\n", headers={"Allow": ", ".join(METHODS)})
        length = headers.get("content-length") or "0"
        if not length.isdecimal() or int(length) > MAX_STATE:
            return Response(413, f"A state may have {MAX_STATE} bytes\n".encode())
        with self._states.read() as tables:
            return self._admit(tables, method, target_key, headers)

    def _admit(
        self, tables: StateTables, method: str, target_key: str, headers: Mapping[str, str]
    ) -> Grant | Response:
        pair = _basic(headers.get("authorization", ""))
        grant = tables.credentials.resolve(*pair) if pair else None
        if grant is None or grant.expires_at <= self._clock():
            return Response(
                401, b"Unauthorized\n", headers={"WWW-Authenticate": 'Basic realm="state", charset="UTF-8"'}
            )
        if grant.target_key != target_key:
            return Response(403, b"These credentials are for another target\n")
        if method != "GET" and not (grant.write and (grant.run_id or self._claims)):
            return Response(403, b"These credentials can only read\n")
        return grant

    def _answer(
        self,
        tables: StateTables,
        grant: Grant,
        method: str,
        query: Mapping[str, str],
        headers: Mapping[str, str],
        body: bytes,
    ) -> Response:
        if method == "GET":
            found = tables.states.current(grant.target_key)
            return Response(200, found[1], "application/json") if found else Response(204)
        if method == "UNLOCK":
            return self._unlock(tables, grant, body)
        lock_id = query.get("ID") or (None if grant.lockless else "")
        if method == "DELETE":
            tables.states.end(grant.target_key, lock_id=_held(tables, grant, lock_id))
            return Response(200)
        written = _write(tables, grant, lock_id, headers, body)
        if written.status == 200 and grant.person and self._claims:
            self._claims.wrote(tables, grant)
        return written

    def _lock(self, tables: StateTables, grant: Grant, wanted: LockInfo, forbidden: str) -> Response:
        present = (
            self._claims.lock(tables, grant, wanted, forbidden)
            if grant.person and self._claims
            else tables.states.lock(grant.target_key, wanted, grant.holder)
        )
        return Response(423, present.dump(), "application/json") if present else Response(200)

    def _unlock(self, tables: StateTables, grant: Grant, body: bytes) -> Response:
        """Without a body it is Terraform's `force-unlock`, which does not send the id that it was given."""
        try:
            lock_id = LockInfo.parse(body).id if body.strip() else None
        except ValueError as broken:
            return Response(400, f"{broken}\n".encode())
        if lock_id is None:
            _log.warning("The state lock of %s is released by force for %s", grant.target_key, grant.holder)
        if grant.person and self._claims:
            present = self._claims.unlock(tables, grant, lock_id)
        elif tables.states.unlock(grant.target_key, lock_id):
            present = None
        else:
            present = tables.states.locked(grant.target_key)
        return Response(409, present.dump(), "application/json") if present else Response(200)


def _write(
    tables: StateTables, grant: Grant, lock_id: str | None, headers: Mapping[str, str], body: bytes
) -> Response:
    if len(body) > MAX_STATE:
        return Response(413, f"A state may have {MAX_STATE} bytes\n".encode())
    expected = headers.get("content-md5", "")
    actual = base64.b64encode(hashlib.md5(body, usedforsecurity=False).digest()).decode()
    if expected and not hmac.compare_digest(expected.encode(), actual.encode()):
        return Response(400, b"The body is not what its Content-MD5 says\n")
    try:
        info = StateInfo.parse(body)
    except ValueError as broken:
        return Response(400, f"{broken}\n".encode())
    tables.states.append(
        grant.target_key,
        body,
        info,
        run_id=grant.run_id,
        commit=grant.commit,
        actor=grant.actor,
        lock_id=_held(tables, grant, lock_id),
    )
    return Response(200)


def _held(tables: StateTables, grant: Grant, lock_id: str | None) -> str | None:
    """The lock id that a write must hold; `terraform workspace delete` and some others name none and hold none.

    A person's write needs a lock of their own, taken for writing: the id of another's is told to whoever is refused.
    """
    if lock_id == "":
        raise StateRefused("a write needs the lock, and the request names none")
    lock = tables.states.locked(grant.target_key)
    if lock_id is None and lock:
        raise StateRefused(f"{lock.who or 'somebody'} holds the lock {lock.id}")
    if grant.person and (
        lock is None or lock.reads or not tables.states.holds(grant.target_key, grant.holder)
    ):
        raise StateRefused("a write needs a lock of one's own, taken for writing")
    return lock_id


def _basic(header: str) -> tuple[str, str] | None:
    scheme, _, encoded = header.partition(" ")
    if scheme.lower() != "basic":
        return None
    try:
        username, colon, password = base64.b64decode(encoded.strip(), validate=True).decode().partition(":")
    except (binascii.Error, UnicodeDecodeError):
        return None
    return (username, password) if colon else None
