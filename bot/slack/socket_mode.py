"""Socket Mode: receive Slack's payloads over a connection that the bot opens, without a public address."""

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
            _log.warning("malformed slack payload ignored: %s", error)
            return
        send_response(client, req, answer, start)  # acknowledges only a 200; otherwise Slack sends it again


class SocketMode:
    """Keeps a connection to Slack open. A failure is logged, never raised, and retried until `close`."""

    def __init__(
        self,
        slack: SlackApp,
        app_token: str,
        *,
        api_url: str = API_URL,
        pause: float = 5.0,
        ping: float = 10.0,
    ) -> None:
        """pause: seconds between attempts at the first connection. ping: seconds between checks of the connection."""
        self._handler = _Handler(slack, app_token, api_url, ping)
        self._pause = pause
        self._closed = threading.Event()
        self._thread = threading.Thread(target=self._connect, name="slack-socket", daemon=True)

    @property
    def connected(self) -> bool:
        """Whether the connection is up."""
        return self._handler.client.is_connected()

    def start(self) -> SocketMode:
        """Start connecting in the background and return at once."""
        self._thread.start()
        return self

    def close(self) -> None:
        """Close the connection and wait for its threads to end."""
        self._closed.set()
        if self._thread.is_alive():
            self._thread.join()
        self._close_socket()
        self._handler.close()  # type: ignore[no-untyped-call]

    def _close_socket(self) -> None:
        """Send a close frame and wait up to a second for Slack to close the connection.

        If this thread closed the socket itself, the reading thread would not notice for 10 s.
        """
        client = self._handler.client
        client.auto_reconnect_enabled = False
        session = client.current_session
        sock = session.sock if session else None
        if session and sock:
            with contextlib.suppress(OSError, WebSocketException):
                sock.send_close()
            end = monotonic() + 1
            while session.sock and monotonic() < end:
                sleep(0.01)
            sock.shutdown()  # type: ignore[no-untyped-call]

    def _connect(self) -> None:
        """Retry until the first connection is up; after that, slack_sdk's own monitor reconnects."""
        while not self._closed.is_set():
            started = monotonic()
            try:
                self._handler.connect()  # type: ignore[no-untyped-call]
            except (SlackClientError, HTTPException, OSError, ValueError) as error:
                _log.warning("cannot connect to Slack by Socket Mode, retrying: %s", type(error).__name__)
                self._closed.wait(max(0.0, self._pause - (monotonic() - started)))
            else:
                return
