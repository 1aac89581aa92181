"""The server side of Terraform's http backend: GET, POST and DELETE of a state, LOCK and UNLOCK.

Terraform repeats a request if it got no response, so each request may arrive twice.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from datetime import UTC, datetime

from bot.domain.ports.state import Claims, Grant, States, StateTables
from bot.domain.states import LockInfo, StateDamaged, StateInfo, StateRefused
from bot.state.messages import METHODS, NOT_ALLOWED, TOO_LARGE, UNAUTHORIZED, Request, Response

_log = logging.getLogger(__name__)


def utcnow() -> datetime:
    return datetime.now(UTC)


class Backend:
    """Answers requests. `handle` may be called from any thread; each call is one transaction of `states`.

    claims: what people's own Terraform may lock; without it they can only read.
    """

    def __init__(
        self, states: States, clock: Callable[[], datetime] = utcnow, claims: Claims | None = None
    ) -> None:
        self._states = states
        self._clock = clock
        self._claims = claims

    def handle(self, request: Request) -> Response:
        """Answer one request.

        401: no, wrong or expired credentials. 403: credentials of another target, or read-only ones. 423: locked, with
        the holder's JSON. 409: a state that must not follow the current one, an unlock of another's lock, a write
        without the lock. 400 and 413: an invalid or oversized body.
        """
        granted = self._authorize(request)
        if isinstance(granted, Response):
            return granted
        try:
            lock = LockInfo.parse(request.body) if request.method == "LOCK" else None
        except ValueError as error:
            return Response(400, f"{error}\n".encode())
        forbidden = self._claims.forbids(granted, lock) if lock and granted.person and self._claims else ""
        with self._states.read() if request.method == "GET" else self._states.begin() as tables:
            grant = self._grant(tables, request)  # again: it may have been revoked since
            if isinstance(grant, Response):
                return grant
            name = f"{request.method} of {request.target_key} by {grant.holder}"
            try:
                if lock is not None:
                    return self._lock(tables, grant, lock, forbidden)
                return self._answer(tables, grant, request)
            except StateDamaged as error:
                _log.error("%s: %s", name, error)
                return Response(409, f"Refused: {error}\n".encode())
            except StateRefused as error:
                _log.warning("%s refused: %s", name, error)
                return Response(409, f"Refused: {error}\n".encode())

    def refuse(self, request: Request) -> Response | None:
        """Return the refusal of a request whose body has not been read yet, or None to read it."""
        granted = self._authorize(request)
        return granted if isinstance(granted, Response) else None

    def _authorize(self, request: Request) -> Grant | Response:
        if request.method not in METHODS:
            return NOT_ALLOWED
        if request.oversized:
            return TOO_LARGE
        with self._states.read() as tables:
            return self._grant(tables, request)

    def _grant(self, tables: StateTables, request: Request) -> Grant | Response:
        credentials = request.credentials
        grant = tables.credentials.resolve(*credentials) if credentials else None
        if grant is None or grant.expires_at <= self._clock():
            return UNAUTHORIZED
        if grant.target_key != request.target_key:
            return Response(403, b"These credentials are for another target\n")
        if request.method != "GET" and not (grant.write and (grant.run_id or self._claims)):
            return Response(403, b"These credentials are read-only\n")
        return grant

    def _answer(self, tables: StateTables, grant: Grant, request: Request) -> Response:
        if request.method == "GET":
            current = tables.states.current(grant.target_key)
            return Response(200, current[1], "application/json") if current else Response(204)
        if request.method == "UNLOCK":
            return self._unlock(tables, grant, request.body)
        lock_id = request.query.get("ID") or (None if grant.lockless else "")
        if request.method == "DELETE":
            tables.states.end(grant.target_key, lock_id=_check_lock(tables, grant, lock_id))
            return Response(200)
        response = _write(tables, grant, lock_id, request)
        if response.status == 200 and grant.person and self._claims:
            self._claims.wrote(tables, grant)
        return response

    def _lock(self, tables: StateTables, grant: Grant, lock: LockInfo, forbidden: str) -> Response:
        present = (
            self._claims.lock(tables, grant, lock, forbidden)
            if grant.person and self._claims
            else tables.states.lock(grant.target_key, lock, grant.holder)
        )
        return Response(423, present.dump(), "application/json") if present else Response(200)

    def _unlock(self, tables: StateTables, grant: Grant, body: bytes) -> Response:
        """Release a lock. Without a body it is `force-unlock`, which does not send the id that it was given."""
        try:
            lock_id = LockInfo.parse(body).id if body.strip() else None
        except ValueError as error:
            return Response(400, f"{error}\n".encode())
        if lock_id is None:
            _log.warning("%s releases the state lock of %s by force-unlock", grant.holder, grant.target_key)
        if grant.person and self._claims:
            present = self._claims.unlock(tables, grant, lock_id)
        elif tables.states.unlock(grant.target_key, lock_id):
            present = None
        else:
            present = tables.states.locked(grant.target_key)
        return Response(409, present.dump(), "application/json") if present else Response(200)


def _write(tables: StateTables, grant: Grant, lock_id: str | None, request: Request) -> Response:
    if request.corrupt:
        return Response(400, b"The body does not match its Content-MD5\n")
    try:
        info = StateInfo.parse(request.body)
    except ValueError as error:
        return Response(400, f"{error}\n".encode())
    lock_id = _check_lock(tables, grant, lock_id)
    tables.states.append(grant.target_key, request.body, info, grant.author, lock_id=lock_id)
    return Response(200)


def _check_lock(tables: StateTables, grant: Grant, lock_id: str | None) -> str | None:
    """Return the lock id that a write must hold, or None for a request without one (`workspace delete` and others).

    Raises StateRefused if the request lacks an id, if another lock is held, or if a person's lock is not their own and
    for writing: a refused LOCK tells everyone the id of the present lock.
    """
    if lock_id == "":
        raise StateRefused("a write needs the state lock, and the request has no lock id")
    lock = tables.states.locked(grant.target_key)
    if lock_id is None and lock:
        raise StateRefused(f"the state is locked by {lock.who or 'somebody else'}, lock id {lock.id}")
    if grant.person and (
        lock is None or lock.is_plan or not tables.states.holds(grant.target_key, grant.holder)
    ):
        raise StateRefused("a write needs a state lock of your own, taken for writing")
    return lock_id
