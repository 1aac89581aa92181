"""Requests to an ASGI application without a server. Starlette's own client wants another HTTP library than ours."""

from __future__ import annotations

import asyncio
from typing import Any

import httpx
from starlette.applications import Starlette


class Client:
    """`get` and `post` as httpx has them; a stream is read to its end. client: the address requests come from."""

    def __init__(self, app: Starlette, *, client: str = "127.0.0.1") -> None:
        self._app = app
        self._client = client

    def get(self, path: str, **more: Any) -> httpx.Response:
        return self.request("GET", path, **more)

    def post(self, path: str, **more: Any) -> httpx.Response:
        return self.request("POST", path, **more)

    def request(self, method: str, path: str, **more: Any) -> httpx.Response:
        async def send() -> httpx.Response:
            transport = httpx.ASGITransport(self._app, client=(self._client, 1))
            async with httpx.AsyncClient(transport=transport, base_url="http://bot", timeout=30) as client:
                return await client.request(method, path, **more)

        return asyncio.run(send())
