"""HTTP responses in GitHub's format."""

from __future__ import annotations

import json
from typing import Any

from starlette.responses import Response

from bot.playground.github.state import Refusal

DOCS = "https://docs.github.com/rest"


def json_response(data: Any, status: int, headers: dict[str, str] | None = None) -> Response:
    """Return `data` as JSON."""
    return Response(json.dumps(data), status, headers, media_type="application/json; charset=utf-8")


def error_response(refusal: Refusal, headers: dict[str, str] | None = None) -> Response:
    """Return an error as GitHub's API does: message, link to the documentation, status and details."""
    data = {"message": refusal.message, "documentation_url": DOCS, "status": str(refusal.status)}
    if refusal.errors is not None:
        data["errors"] = refusal.errors  # type: ignore[assignment]
    return json_response(data, refusal.status, headers)
