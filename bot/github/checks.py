"""Check runs, and the commit statuses that stand in for them where the bot is no App."""

from __future__ import annotations

from typing import Any, Literal, Protocol
from urllib.parse import quote

from bot.domain.ports.forge import CheckRun
from bot.github.fields import Fields
from bot.github.wire import FINAL, PROGRESS, Wire

DESCRIPTION = 140
"""GitHub: characters of a commit status's or a deployment status's description."""

_STATUS: dict[str | None, Literal["success", "failure", "error", "pending"]] = {
    None: "pending",
    "action_required": "pending",
    "success": "success",
    "neutral": "success",
    "skipped": "success",
    "failure": "failure",
    "timed_out": "failure",
    "cancelled": "error",
}


class _Bot(Protocol):
    wire: Wire

    def me(self) -> str: ...


class Checks:
    """The port's methods on checks."""

    def check(self: _Bot, repository: str, check: CheckRun, check_id: int | None = None) -> int:
        priority = FINAL if check.status == "completed" else PROGRESS
        if not self.wire.tokens.app:
            path = f"/statuses/{check.head_sha}"
            self.wire.send("POST", repository, path, json=_status(check), priority=priority)
            return 0
        method, path = ("PATCH", f"/check-runs/{check_id}") if check_id else ("POST", "/check-runs")
        body = _check_run(check)
        if check_id:
            del body["head_sha"]  # a check stays at its commit
        return self.wire.write(
            method, repository, path, body, lambda data: data.number("id"), priority=priority
        )

    def find_check(self: _Bot, repository: str, head_sha: str, name: str) -> int | None:
        """The newest check of this name that the bot's own App made."""
        if not self.wire.tokens.app:
            return None
        found = self.wire.every(
            self.wire.tokens.of(repository),
            f"/repos/{repository}/commits/{quote(head_sha, safe='')}/check-runs",
            lambda data: (_app(data), data.number("id")),
            key="check_runs",
            params={"check_name": name, "filter": "latest"},
        )
        mine = self.me().removesuffix("[bot]")
        return max((number for app, number in found if app == mine), default=None)


def _app(data: Fields) -> str:
    return data.fields("app").text("slug", "") if data.has("app") else ""


def _check_run(check: CheckRun) -> dict[str, Any]:
    output = {"title": check.title, "summary": check.summary, "text": check.text}
    body: dict[str, Any] = {
        "name": check.name,
        "head_sha": check.head_sha,
        "status": check.status,
        "conclusion": check.conclusion if check.status == "completed" else None,
        "details_url": check.details_url,
        "external_id": check.external_id,
        "output": {key: value for key, value in output.items() if value or key != "text"},
    }
    return {key: value for key, value in body.items() if value}


def _status(check: CheckRun) -> dict[str, Any]:
    conclusion = check.conclusion if check.status == "completed" else None
    body = {
        "state": _STATUS[conclusion],
        "context": check.name,
        "description": shortened(check.title),
        "target_url": check.details_url,
    }
    return {key: value for key, value in body.items() if value}


def shortened(description: str) -> str:
    """A description as GitHub takes it, its end cut where it is too long."""
    return description if len(description) <= DESCRIPTION else description[: DESCRIPTION - 1] + "…"
