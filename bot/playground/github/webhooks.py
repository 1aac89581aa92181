"""Webhooks: signed, delivered in order by one thread, logged, and sent again on request."""

from __future__ import annotations

import hashlib
import hmac
import json
import random
import threading
import time
import uuid
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import httpx

from bot.playground.github import pushes, views
from bot.playground.github.access import reaches
from bot.playground.github.records import App, Hook, Repo, User
from bot.playground.github.state import State

TIMEOUT = 10.0
"""GitHub: seconds until a delivery counts as failed."""

_APP_ALWAYS = frozenset(["installation", "installation_repositories"])


@dataclass(frozen=True)
class Delivery:
    """One attempt. `status_code` is 0 where there was no answer."""

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
class _Parcel:
    guid: str
    hook: Hook
    event: str
    payload: dict[str, Any]
    body: bytes
    redelivery: bool = False


class Webhooks:
    """Delivers what `State.emit` is given."""

    def __init__(self, state: State) -> None:
        self.log: list[Delivery] = []
        self._state = state
        self._waiting: list[_Parcel] = []
        self._busy = False
        self._held = False
        self._stopped = False
        self._ready = threading.Condition()
        self._thread = threading.Thread(target=self._deliver, name="webhooks", daemon=True)
        state.emit = self.emit

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        """What is not yet delivered is dropped."""
        with self._ready:
            self._stopped = True
            self._ready.notify_all()
        self._thread.join()

    def emit(self, event: str, repo: Repo | None, payload: dict[str, Any], sender: User) -> None:
        """Queue an event for every hook that wants it."""
        whole = {**payload, "sender": views.user(self._state, sender)}
        if repo:
            shown = pushes.repository_of_push if event == "push" else views.repo
            whole["repository"] = shown(self._state, repo)
            if repo.owner.type == "Organization":
                whole["organization"] = views.organisation(self._state, repo.owner)
        for app in self._state.apps.values():
            if app.hook and _wants(app, app.hook, event, repo):
                brief = {"id": app.installation_id, "node_id": f"I_{app.installation_id}"}
                self._queue(app.hook, event, {"installation": brief, **whole})
        for hook in self._state.hooks:
            if repo and hook.repository == repo.full_name.lower() and event in hook.events:
                self._queue(hook, event, whole)

    def _queue(self, hook: Hook, event: str, payload: dict[str, Any]) -> None:
        parcel = _Parcel(str(uuid.uuid4()), hook, event, payload, json.dumps(payload).encode())
        with self._ready:
            self._waiting.append(parcel)
            self._ready.notify_all()

    def hold(self) -> None:
        """Deliver nothing until `release`: what happens meanwhile arrives late."""
        with self._ready:
            self._held = True

    def release(self, *, shuffled: int | None = None) -> None:
        """Deliver what was held; in another order where `shuffled`, a seed, is given."""
        with self._ready:
            if shuffled is not None:
                random.Random(shuffled).shuffle(self._waiting)  # noqa: S311
            self._held = False
            self._ready.notify_all()

    def redeliver(self, delivery_id: int) -> None:
        """Send a logged delivery again, under the same GUID, as GitHub's button and API do. Raises KeyError."""
        for done in self.log:
            if done.id == delivery_id:
                parcel = _Parcel(done.guid, done.hook, done.event, json.loads(done.body), done.body, True)
                with self._ready:
                    self._waiting.append(parcel)
                    self._ready.notify_all()
                return
        raise KeyError(delivery_id)

    def drain(self, timeout: float = 30.0) -> bool:
        """Wait until everything is delivered (or held); False where it took longer than `timeout` seconds."""
        with self._ready:
            return self._ready.wait_for(lambda: not self._busy and (self._held or not self._waiting), timeout)

    def _deliver(self) -> None:
        with httpx.Client(timeout=TIMEOUT, trust_env=False) as client:
            while True:
                with self._ready:
                    self._busy = False
                    self._ready.notify_all()
                    self._ready.wait_for(lambda: self._stopped or (self._waiting and not self._held))
                    if self._stopped:
                        return
                    parcel = self._waiting.pop(0)
                    self._busy = True
                self._send(client, parcel)

    def _send(self, client: httpx.Client, parcel: _Parcel) -> None:
        headers = {
            "Content-Type": "application/json",
            "User-Agent": "GitHub-Hookshot/stand-in",
            "X-GitHub-Event": parcel.event,
            "X-GitHub-Delivery": parcel.guid,
            "X-GitHub-Hook-ID": str(parcel.hook.id),
        }
        if parcel.hook.secret:
            digest = hmac.new(parcel.hook.secret.encode(), parcel.body, hashlib.sha256).hexdigest()
            headers["X-Hub-Signature-256"] = f"sha256={digest}"
        began = time.monotonic()
        try:
            answer = client.post(parcel.hook.url, content=parcel.body, headers=headers)
            code, status, text = (
                answer.status_code,
                "OK" if answer.is_success else answer.reason_phrase,
                answer.text,
            )
        except httpx.TimeoutException:
            code, status, text = 0, "timed out", ""
        except httpx.HTTPError:
            code, status, text = 0, "failed to connect to host", ""
        payload = parcel.payload
        with self._state.change():
            self.log.append(
                Delivery(
                    id=self._state.next_id(),
                    guid=parcel.guid,
                    hook=parcel.hook,
                    event=parcel.event,
                    action=payload.get("action"),
                    installation_id=payload.get("installation", {}).get("id"),
                    repository_id=payload.get("repository", {}).get("id"),
                    body=parcel.body,
                    delivered_at=self._state.now(),
                    duration=round(time.monotonic() - began, 2),
                    status_code=code,
                    status=status,
                    answer=text[:1000],
                    redelivery=parcel.redelivery,
                )
            )


def _wants(app: App, hook: Hook, event: str, repo: Repo | None) -> bool:
    if event in _APP_ALWAYS:
        return True
    return event in hook.events and repo is not None and reaches(app, repo)
