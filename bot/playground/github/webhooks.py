"""Webhooks: signed, delivered in order by one thread, logged, and redelivered on request."""

from __future__ import annotations

import hashlib
import hmac
import json
import random
import threading
import time
import uuid
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import httpx

from bot.playground.github import views
from bot.playground.github.access import installation_covers
from bot.playground.github.records import App, Hook, Repo, User
from bot.playground.github.state import State
from bot.playground.loopback import no_authorities

TIMEOUT = 10.0
"""Seconds after which GitHub counts a delivery as failed."""

_APP_ALWAYS = frozenset(["installation", "installation_repositories"])


@dataclass(frozen=True)
class Delivery:
    """One attempt to deliver a webhook. status_code: 0 if there was no response."""

    id: int
    guid: str
    hook: Hook
    event: str
    action: str | None
    installation_id: int | None
    repository_id: int | None
    body: bytes
    delivered_at: datetime
    duration: float
    status_code: int
    status: str
    answer: str
    redelivery: bool


@dataclass(frozen=True)
class _Queued:
    """A webhook that waits to be sent."""

    guid: str
    hook: Hook
    event: str
    payload: dict[str, Any]
    body: bytes
    redelivery: bool = False


class Webhooks:
    """Delivers the events passed to `State.emit`."""

    def __init__(self, state: State) -> None:
        self.log: list[Delivery] = []
        self._state = state
        self._waiting: list[_Queued] = []
        self._busy = False
        self._held: Callable[[str], bool] = lambda _event: False
        self._stopped = False
        self._ready = threading.Condition()
        self._thread = threading.Thread(target=self._deliver, name="webhooks", daemon=True)
        state.emit = self.emit

    def start(self) -> None:
        """Start delivering."""
        self._thread.start()

    def stop(self) -> None:
        """Stop delivering and drop what is queued."""
        with self._ready:
            self._stopped = True
            self._ready.notify_all()
        self._thread.join()

    def emit(self, event: str, repo: Repo | None, payload: dict[str, Any], sender: User) -> None:
        """Queue an event for every webhook that subscribes to it."""
        full = {**payload, "sender": views.user(self._state, sender)}
        if repo:
            view = views.push_repo if event == "push" else views.repo
            full["repository"] = view(self._state, repo)
            if repo.owner.type == "Organization":
                full["organization"] = views.organisation(self._state, repo.owner)
        for app in self._state.apps.values():
            if app.hook and _subscribed(app, app.hook, event, repo):
                brief = {"id": app.installation_id, "node_id": f"I_{app.installation_id}"}
                self._queue(app.hook, event, {"installation": brief, **full})
        for hook in self._state.hooks:
            if repo and hook.repository == repo.full_name.lower() and event in hook.events:
                self._queue(hook, event, full)

    def _queue(self, hook: Hook, event: str, payload: dict[str, Any]) -> None:
        queued = _Queued(str(uuid.uuid4()), hook, event, payload, json.dumps(payload).encode())
        with self._ready:
            self._waiting.append(queued)
            self._ready.notify_all()

    def hold(self, event: str = "") -> None:
        """Hold back deliveries until `release`: all, or those of one event, as if they were lost and redelivered later."""
        with self._ready:
            self._held = lambda one: event in ("", one)

    def release(self, *, shuffled: int | None = None) -> None:
        """Deliver what was held, shuffled with the seed `shuffled` if one is given."""
        with self._ready:
            if shuffled is not None:
                random.Random(shuffled).shuffle(self._waiting)  # noqa: S311
            self._held = lambda _event: False
            self._ready.notify_all()

    def redeliver(self, delivery_id: int) -> None:
        """Send a logged delivery again under the same GUID, as GitHub does. Raises KeyError if it is unknown."""
        for done in self.log:
            if done.id == delivery_id:
                queued = _Queued(done.guid, done.hook, done.event, json.loads(done.body), done.body, True)
                with self._ready:
                    self._waiting.append(queued)
                    self._ready.notify_all()
                return
        raise KeyError(delivery_id)

    def drain(self, timeout: float = 30.0) -> bool:
        """Wait until everything is delivered or held. Returns False after `timeout` seconds."""
        with self._ready:
            return self._ready.wait_for(lambda: not self._busy and self._next() is None, timeout)

    def _next(self) -> _Queued | None:
        """Return what is delivered next; None if everything is delivered or held."""
        return next((one for one in self._waiting if not self._held(one.event)), None)

    def _deliver(self) -> None:
        with httpx.Client(timeout=TIMEOUT, trust_env=False, verify=no_authorities()) as client:
            while True:
                with self._ready:
                    self._busy = False
                    self._ready.notify_all()
                    self._ready.wait_for(lambda: self._stopped or self._next() is not None)
                    queued = self._next()
                    if self._stopped or queued is None:
                        return
                    self._waiting.remove(queued)
                    self._busy = True
                self._send(client, queued)

    def _send(self, client: httpx.Client, queued: _Queued) -> None:
        headers = {
            "Content-Type": "application/json",
            "User-Agent": "GitHub-Hookshot/stand-in",
            "X-GitHub-Event": queued.event,
            "X-GitHub-Delivery": queued.guid,
            "X-GitHub-Hook-ID": str(queued.hook.id),
        }
        if queued.hook.secret:
            digest = hmac.new(queued.hook.secret.encode(), queued.body, hashlib.sha256).hexdigest()
            headers["X-Hub-Signature-256"] = f"sha256={digest}"
        began = time.monotonic()
        try:
            answer = client.post(queued.hook.url, content=queued.body, headers=headers)
            code, status, text = (
                answer.status_code,
                "OK" if answer.is_success else answer.reason_phrase,
                answer.text,
            )
        except httpx.TimeoutException:
            code, status, text = 0, "timed out", ""
        except httpx.HTTPError:
            code, status, text = 0, "failed to connect to host", ""
        payload = queued.payload
        with self._state.change():
            self.log.append(
                Delivery(
                    id=self._state.next_id(),
                    guid=queued.guid,
                    hook=queued.hook,
                    event=queued.event,
                    action=payload.get("action"),
                    installation_id=payload.get("installation", {}).get("id"),
                    repository_id=payload.get("repository", {}).get("id"),
                    body=queued.body,
                    delivered_at=self._state.now(),
                    duration=round(time.monotonic() - began, 2),
                    status_code=code,
                    status=status,
                    answer=text[:1000],
                    redelivery=queued.redelivery,
                )
            )


def _subscribed(app: App, hook: Hook, event: str, repo: Repo | None) -> bool:
    if event in _APP_ALWAYS:
        return True
    return event in hook.events and repo is not None and installation_covers(app, repo)
