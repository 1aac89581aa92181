"""Socket Mode: Slack's payloads over a connection that the bot opens, without a public address."""

from __future__ import annotations

import contextlib
import logging
import threading
from http.client import HTTPException
from time import monotonic, sleep, time

from slack_bolt.adapter.socket_mode.internals import send_response
from slack_bolt.adapter.socket_mode.websocket_client import SocketModeHandler
from slack_sdk.errors import SlackClientError
from slack_sdk.socket_mode.request import SocketModeRequest
from slack_sdk.socket_mode.websocket_client import SocketModeClient
from websocket import WebSocketException

from bot.slack.app import SlackApp
from bot.slack.chat import API_URL, web_client
from bot.slack.request import Malformed

_log = logging.getLogger(__name__)


class _Handler(SocketModeHandler):
    def __init__(self, slack: SlackApp, app_token: str, api_url: str, ping: float) -> None:
        self.slack = slack
        super().__init__(
            slack.bolt,
            app_token,
            logger=logging.getLogger("bot.slack.socket"),
            web_client=web_client("", api_url=api_url),
            ping_interval=ping,
        )

    def handle(self, client: SocketModeClient, req: SocketModeRequest) -> None:  # type: ignore[override]
        start = time()
        try:
            answer = self.slack.dispatch(req.payload)
        except Malformed as error:
            _log.warning("malformed slack payload left out: %s", error)
            return
        send_response(client, req, answer, start)  # no acknowledgement unless 200: Slack sends it again


class SocketMode:
    """Keeps a connection to Slack. A failure is logged, never raised, and tried again until `close`."""

    def __init__(
        self,
        slack: SlackApp,
        app_token: str,
        *,
        api_url: str = API_URL,
        pause: float = 5.0,
        ping: float = 10.0,
    ) -> None:
        """pause: seconds between two tries of the first connection; ping: seconds between two checks of it."""
        self._handler = _Handler(slack, app_token, api_url, ping)
        self._pause = pause
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._connect, name="slack-socket", daemon=True)

    @property
    def connected(self) -> bool:
        """Whether the connection stands now."""
        return self._handler.client.is_connected()

    def start(self) -> SocketMode:
        """Returns at once; the connection comes up in the background."""
        self._thread.start()
        return self

    def close(self) -> None:
        """Ends the connection and its threads; returns when they have ended."""
        self._ended.set()
        if self._thread.is_alive():
            self._thread.join()
        self._part()
        self._handler.close()  # type: ignore[no-untyped-call]

    def _part(self) -> None:
        """Close by Slack's own answer to a close frame, for at most a second.

        The reading thread would not notice for 10 s that another thread has closed its socket.
        """
        client = self._handler.client
        client.auto_reconnect_enabled = False
        session = client.current_session
        link = session.sock if session else None
        if session and link:
            with contextlib.suppress(OSError, WebSocketException):
                link.send_close()
            end = monotonic() + 1
            while session.sock and monotonic() < end:
                sleep(0.01)
            link.shutdown()  # type: ignore[no-untyped-call]

    def _connect(self) -> None:
        """Up to the first connection; from then on slack_sdk's own monitor reconnects."""
        while not self._ended.is_set():
            began = monotonic()
            try:
                self._handler.connect()  # type: ignore[no-untyped-call]
            except (SlackClientError, HTTPException, OSError, ValueError) as error:
                _log.warning("no Socket Mode connection to Slack yet: %s", type(error).__name__)
                self._ended.wait(max(0.0, self._pause - (monotonic() - began)))
            else:
                return
