"""Delivers payloads to the bot, over Socket Mode if it is connected, else over signed HTTP."""

from __future__ import annotations

import contextlib
import hashlib
import hmac
import http.client
import json
import threading
import uuid
from collections.abc import Sequence
from typing import Any
from urllib.error import HTTPError
from urllib.parse import urlencode
from urllib.request import ProxyHandler, Request, build_opener

from bot.playground.slack.model import Answer
from bot.playground.slack.socket_mode import SocketModeServer
from bot.playground.slack.state import State

ACK_SECONDS = 3.0
RETRIES = (0.0, 60.0, 300.0)
"""Seconds before each retry of an event. Slack retries at once, after a minute and after five."""

_FORM = "application/x-www-form-urlencoded"
_TYPES = {"command": "slash_commands", "interactive": "interactive", "event": "events_api"}


class Delivery:
    """Sends payloads. bot_url: the bot's request URL, such as `http://127.0.0.1:8080/slack/events`."""

    def __init__(self, state: State, socket_mode: SocketModeServer, bot_url: str) -> None:
        self.bot_url = bot_url
        self.ack_seconds = ACK_SECONDS
        self.retries: Sequence[float] = RETRIES
        self.log: list[tuple[str, int, Answer]] = []
        """(kind, number of the retry, answer) of everything sent, oldest first."""
        self._last_interactive: dict[str, Any] = {}
        self._state, self._socket_mode = state, socket_mode
        self._ended = threading.Event()
        self._threads: list[threading.Thread] = []
        self._opener = build_opener(ProxyHandler({}))

    def command(self, form: dict[str, str]) -> Answer:
        """Send a slash command."""
        return self._send("command", form, urlencode(form).encode(), _FORM)

    def resend_last(self) -> Answer:
        """Send the last click or submission again, as if its answer had been lost."""
        return self.interactive(self._last_interactive)

    def interactive(self, payload: dict[str, Any]) -> Answer:
        """Send a click or a submission."""
        self._last_interactive = payload
        body = urlencode({"payload": json.dumps(payload)}).encode()
        return self._send("interactive", payload, body, _FORM)

    def event(self, payload: dict[str, Any]) -> Answer:
        """Send an event and return the first answer. If it is not 200, retries follow in the background."""
        answer = self._event(payload, 0, Answer(0))
        if not answer.ok and self.retries:
            thread = threading.Thread(target=self._retry, args=(payload, answer), daemon=True)
            self._threads.append(thread)
            thread.start()
        return answer

    def raw(self, body: bytes, headers: dict[str, str]) -> Answer:
        """Send any request, as a stranger could."""
        return self._post(body, headers)

    def sign(self, body: bytes, content_type: str) -> dict[str, str]:
        """Return the headers of a correctly signed request."""
        stamp = str(int(self._state.clock()))
        text = b"v0:" + stamp.encode() + b":" + body
        digest = hmac.new(self._state.signing_secret.encode(), text, hashlib.sha256).hexdigest()
        return {
            "Content-Type": content_type,
            "X-Slack-Request-Timestamp": stamp,
            "X-Slack-Signature": f"v0={digest}",
        }

    def wait_for_retries(self, seconds: float = 10.0) -> None:
        """Wait until all retries have ended."""
        for thread in list(self._threads):
            thread.join(seconds)

    def stop(self) -> None:
        """Cancel the retries."""
        self._ended.set()
        self.wait_for_retries()

    def _retry(self, payload: dict[str, Any], answer: Answer) -> None:
        for number, pause in enumerate(self.retries, start=1):
            if self._ended.wait(pause):
                return
            answer = self._event(payload, number, answer)
            if answer.ok:
                return

    def _event(self, payload: dict[str, Any], number: int, before: Answer) -> Answer:
        body = json.dumps(payload).encode()
        reason = "http_error" if before.status else "http_timeout"
        return self._send("event", payload, body, "application/json", number, reason)

    def _send(
        self,
        kind: str,
        payload: dict[str, Any],
        body: bytes,
        content_type: str,
        number: int = 0,
        reason: str = "",
    ) -> Answer:
        if self._socket_mode.connected:
            envelope = {
                "type": _TYPES[kind],
                "envelope_id": str(uuid.uuid4()),
                "payload": payload,
                "accepts_response_payload": kind != "event",
            }
            if kind == "event":
                envelope |= {"retry_attempt": number, "retry_reason": reason if number else ""}
            reply = self._socket_mode.deliver(envelope, self.ack_seconds)
            answer = Answer(0) if reply is None else Answer(200, reply)
        else:
            headers = self.sign(body, content_type)
            if number:
                headers |= {"X-Slack-Retry-Num": str(number), "X-Slack-Retry-Reason": reason}
            answer = self._post(body, headers)
        self.log.append((kind, number, answer))
        return answer

    def _post(self, body: bytes, headers: dict[str, str]) -> Answer:
        request = Request(self.bot_url, data=body, headers=headers, method="POST")  # noqa: S310
        try:
            with self._opener.open(request, timeout=self.ack_seconds) as response:
                return Answer(response.status, _body(response.read()))
        except HTTPError as error:
            with error, contextlib.suppress(OSError, http.client.HTTPException):
                return Answer(error.code, _body(error.read()))
            return Answer(error.code)
        except (OSError, http.client.HTTPException, ValueError):
            return Answer(0)


def _body(text: bytes) -> dict[str, Any]:
    if not text:
        return {}
    with contextlib.suppress(ValueError):
        data = json.loads(text)
        if isinstance(data, dict):
            return data
    return {"text": text.decode("utf-8", "replace")}
