"""A bot behind the stand-in: the adapter's own entry in a plain route."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import uvicorn
from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from bot.slack.app import SlackApp, build_app
from bot.slack.chat import web_client
from bot.slack.listeners import SlackHandlers
from bot.slack.request import SlackDelivery, SlackRequest


@dataclass
class Inbox:
    """Deliveries under their unique id, and what the hooks were asked."""

    rows: dict[str, SlackRequest] = field(default_factory=dict)
    seen: list[bool] = field(default_factory=list)
    failures: int = 0
    delay: float = 0.0
    modal: Callable[[SlackRequest], dict[str, Any] | None] = lambda _request: None
    errors: Callable[[SlackRequest], dict[str, str] | None] = lambda _request: None

    def accept(self, delivery: SlackDelivery) -> bool:
        if self.failures:
            self.failures -= 1
            raise RuntimeError("the database is down")
        new = delivery.id not in self.rows
        self.rows[delivery.id] = delivery.request
        self.seen.append(new)
        time.sleep(self.delay)
        return new

    def open_modal(self, request: SlackRequest) -> dict[str, Any] | None:
        return self.modal(request)

    def submit(self, request: SlackRequest) -> dict[str, str] | None:
        return self.errors(request)

    @property
    def last(self) -> SlackRequest:
        return list(self.rows.values())[-1]


def slack_app(inbox: Inbox, api_url: str, token: str, secret: str) -> SlackApp:
    return build_app(
        web_client(token, api_url=api_url),
        secret,
        command_name="/infra",
        handlers=SlackHandlers(inbox.accept, inbox.open_modal, inbox.submit),
    )


class BotServer:
    """`POST /slack/events` on loopback."""

    def __init__(self, app: SlackApp) -> None:
        self.app = app
        listening = socket.create_server(("127.0.0.1", 0))
        self.url = f"http://127.0.0.1:{listening.getsockname()[1]}/slack/events"

        async def events(request: Request) -> Response:
            body = await request.body()
            status, headers, text = await run_in_threadpool(app.handle, body, dict(request.headers))
            return Response(text, status, headers)

        starlette = Starlette(routes=[Route("/slack/events", events, methods=["POST"])])
        self._server = uvicorn.Server(
            uvicorn.Config(starlette, log_level="critical", lifespan="off", ws="none")
        )
        self._thread = threading.Thread(target=self._server.run, kwargs={"sockets": [listening]}, daemon=True)
        self._thread.start()
        until(lambda: self._server.started)

    def stop(self) -> None:
        self._server.should_exit = True
        self._thread.join()


def until(true: Callable[[], object], seconds: float = 15.0) -> None:
    """Wait for something that happens in another thread."""
    end = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < end, f"it did not happen within {seconds:.0f} s"
        time.sleep(0.02)


def button(text: str, action_id: str, value: str = "") -> dict[str, Any]:
    label = {"type": "plain_text", "text": text}
    return {"type": "button", "text": label, "action_id": action_id, **({"value": value} if value else {})}


def section(text: str) -> dict[str, Any]:
    return {"type": "section", "text": {"type": "mrkdwn", "text": text}}


def modal(title: str = "Link", optional: bool = False) -> dict[str, Any]:
    return {
        "type": "modal",
        "callback_id": "link",
        "private_metadata": "acme/infra",
        "title": {"type": "plain_text", "text": title},
        "submit": {"type": "plain_text", "text": "Save"},
        "blocks": [
            {
                "type": "input",
                "block_id": "login",
                "optional": optional,
                "label": {"type": "plain_text", "text": "GitHub login"},
                "element": {"type": "plain_text_input", "action_id": "text"},
            }
        ],
    }
