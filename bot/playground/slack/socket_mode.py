"""Socket Mode: a WebSocket server on its own loopback port."""

from __future__ import annotations

import contextlib
import json
import queue
import secrets
import socketserver
import threading
from collections.abc import Callable
from typing import Any, BinaryIO, cast
from urllib.parse import parse_qs, urlsplit

from bot.playground.slack.websocket import CLOSE, PING, PONG, TEXT, accept_key, frame, read_frame

MAX_CONNECTIONS = 10
"""Slack's limit of simultaneous connections."""


class Connection:
    """A bot's connection."""

    def __init__(self, writer: BinaryIO) -> None:
        self._writer = writer
        self._lock = threading.Lock()

    def send(self, opcode: int, payload: bytes) -> None:
        """Send a frame. Raises OSError if the connection is closed."""
        with self._lock:
            self._writer.write(frame(opcode, payload))
            self._writer.flush()

    def send_json(self, message: dict[str, Any]) -> None:
        """Send a message as JSON. Raises OSError if the connection is closed."""
        self.send(TEXT, json.dumps(message).encode())


class _Server(socketserver.ThreadingTCPServer):
    allow_reuse_address = True
    daemon_threads = True

    def __init__(self, owner: SocketModeServer) -> None:
        self.owner = owner
        super().__init__(("127.0.0.1", 0), _Handler)


class _Handler(socketserver.StreamRequestHandler):
    def handle(self) -> None:
        server = cast("_Server", self.server).owner
        target, headers = self._request()
        ticket = parse_qs(urlsplit(target).query).get("ticket", [""])[0]
        if not server.accept(ticket) or "sec-websocket-key" not in headers:
            self.wfile.write(b"HTTP/1.1 401 Unauthorized\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")
            return
        answer = (
            "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
            f"Sec-WebSocket-Accept: {accept_key(headers['sec-websocket-key'])}\r\n\r\n"
        )
        self.wfile.write(answer.encode())
        server.serve(Connection(cast("BinaryIO", self.wfile)), cast("BinaryIO", self.rfile), self.close)

    def close(self) -> None:
        with contextlib.suppress(OSError):
            self.connection.shutdown(2)

    def _request(self) -> tuple[str, dict[str, str]]:
        line = self.rfile.readline(8192).decode("latin-1").split(" ")
        headers: dict[str, str] = {}
        while (text := self.rfile.readline(8192).decode("latin-1").strip()) and len(headers) < 100:
            name, _, value = text.partition(":")
            headers[name.lower()] = value.strip()
        return line[1] if len(line) > 1 else "", headers


class SocketModeServer:
    """Sends each envelope to one of the connections and waits for its acknowledgement."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._tickets: set[str] = set()
        self._connections: dict[Connection, Callable[[], None]] = {}
        self._waiting: dict[str, queue.Queue[dict[str, Any]]] = {}
        self._server = _Server(self)
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.1,), daemon=True)
        self._thread.start()

    @property
    def connected(self) -> int:
        """The number of connections."""
        return len(self._connections)

    def open(self) -> str:
        """Return a WebSocket URL for one connection."""
        ticket = secrets.token_urlsafe(16)
        with self._lock:
            self._tickets.add(ticket)
        return f"ws://127.0.0.1:{self._server.server_address[1]}/link/?ticket={ticket}"

    def accept(self, ticket: str) -> bool:
        """Use up a ticket from the URL. Returns whether the connection is allowed."""
        with self._lock:
            known = ticket in self._tickets and len(self._connections) < MAX_CONNECTIONS
            self._tickets.discard(ticket)
            return known

    def serve(self, connection: Connection, stream: BinaryIO, close: Callable[[], None]) -> None:
        """Serve a connection until it ends."""
        with contextlib.suppress(OSError, EOFError, ValueError):
            connection.send_json({"type": "hello", "num_connections": self.connected + 1})
            with self._lock:
                self._connections[connection] = close
            while True:
                opcode, payload = read_frame(stream)
                if opcode == CLOSE:
                    connection.send(CLOSE, payload[:2])
                    break
                if opcode == PING:
                    connection.send(PONG, payload)
                elif opcode == TEXT:
                    self._acknowledge(json.loads(payload))
        with self._lock:
            self._connections.pop(connection, None)

    def deliver(self, envelope: dict[str, Any], seconds: float) -> dict[str, Any] | None:
        """Return the acknowledgement of an envelope, or None if none came in time or nobody is connected."""
        answers: queue.Queue[dict[str, Any]] = queue.Queue()
        with self._lock:
            chosen = secrets.choice(list(self._connections)) if self._connections else None
            self._waiting[envelope["envelope_id"]] = answers
        try:
            if chosen is None:
                return None
            chosen.send_json(envelope)
            return answers.get(timeout=seconds)
        except (OSError, ValueError, queue.Empty):
            return None
        finally:
            with self._lock:
                self._waiting.pop(envelope["envelope_id"], None)

    def disconnect(self, *, ask: bool = False) -> None:
        """Close all connections, or ask for it with Slack's `disconnect` message, after which the bot reconnects."""
        with self._lock:
            connections = dict(self._connections)
        for connection, close in connections.items():
            with contextlib.suppress(OSError, ValueError):
                if ask:
                    connection.send_json({"type": "disconnect", "reason": "refresh_requested"})
                else:
                    close()

    def stop(self) -> None:
        """Close all connections and stop the server."""
        self.disconnect()
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()

    def _acknowledge(self, message: object) -> None:
        if not isinstance(message, dict):
            return
        with self._lock:
            waiting = self._waiting.get(str(message.get("envelope_id")))
        if waiting is not None:
            body = message.get("payload")
            waiting.put(body if isinstance(body, dict) else {})
