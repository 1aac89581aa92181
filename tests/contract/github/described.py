"""GitHub's own OpenAPI description, and what of ours is held against it."""

from __future__ import annotations

import json
import re
from functools import cache
from typing import Any
from urllib.parse import parse_qsl, quote

from openapi_core import Config, OpenAPI
from openapi_core.templating.responses.exceptions import ResponseNotFound
from openapi_core.testing import MockRequest, MockResponse

from bot.playground.github.context import Exchange
from tests.npm import package

HOST = "https://api.github.com"
_WHOLE = re.compile(
    r"(/repos/[^/]+/[^/]+/(?:contents|branches|compare|commits))/(.+?)(/check-runs|/statuses|/pulls)?$"
)
"""Parameters that may have slashes in them, which OpenAPI cannot say: they are checked as one segment."""


@cache
def description() -> OpenAPI:
    path = package("@octokit/openapi") / "generated" / "api.github.com.json"
    whole = json.loads(path.read_text())
    _mend(whole)
    return OpenAPI.from_dict(whole, config=Config(spec_validator_cls=None))


def _mend(node: Any) -> None:
    """Three slips of the description: nullable enumerations without null, "a user and an enterprise" where "or" is
    meant, and a discriminator for what may be a list."""
    if isinstance(node, list):
        for item in node:
            _mend(item)
    if not isinstance(node, dict):
        return
    if node.get("nullable") and isinstance(node.get("enum"), list) and None not in node["enum"]:
        node["enum"].append(None)
    if [part.get("title") for part in _parts(node)] == ["Simple User", "Enterprise"]:
        node["anyOf"] = node.pop("allOf")
    if isinstance(node.get("oneOf"), list):
        node.pop("discriminator", None)
    for item in node.values():
        _mend(item)


def _parts(node: dict[str, Any]) -> list[dict[str, Any]]:
    parts = node.get("allOf")
    return parts if isinstance(parts, list) else []


def _segment(path: str) -> str:
    found = _WHOLE.match(path)
    return f"{found[1]}/{quote(found[2], safe='')}{found[3] or ''}" if found else path


def problems(one: Exchange) -> list[str]:
    """What is wrong with an exchange, request and answer, by GitHub's description; empty for nothing."""
    request = MockRequest(
        HOST,
        one.method.lower(),
        _segment(one.path),
        args=dict(parse_qsl(one.query)),
        data=one.body or None,
        content_type=one.headers.get("content-type", "application/json"),
    )
    content_type = one.content_type.partition(";")[0] or "application/json"
    response = MockResponse(one.answer, status_code=one.status, content_type=content_type)
    checks: list[tuple[str, Any]] = []
    if "raw" not in content_type:  # the description knows no raw contents
        checks.append(("answer", lambda: description().validate_response(request, response)))
    if one.status < 400:
        checks.append(("request", lambda: description().validate_request(request)))
    found = []
    for what, check in checks:
        try:
            check()
        except ResponseNotFound:
            if one.status < 400 or not {"message", "documentation_url"} <= set(json.loads(one.answer)):
                found.append(f"{one.method} {one.path} {one.status} is not described")
        except Exception as error:
            causes = [error, error.__cause__, *getattr(error.__cause__, "schema_errors", [])]
            said = " | ".join(str(cause)[:400] for cause in causes if cause)
            found.append(f"{one.method} {one.path} {one.status} {what}: {said}")
    return found
