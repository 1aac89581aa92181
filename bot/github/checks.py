"""Create and find check runs; without an App, post commit statuses instead."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any, Literal, Protocol
from urllib.parse import quote

from bot.domain.ports.forge import Annotation, CheckRun, PostedCheckRun
from bot.github import scopes
from bot.github.fields import Fields
from bot.github.wire import FINAL, PROGRESS, Wire, parsed, sent_at

MAX_DESCRIPTION = 140
"""GitHub's limit for the description of a commit status or a deployment status, in characters."""

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


class _Client(Protocol):
    wire: Wire

    def me(self) -> str: ...


class Checks:
    """The part of the Forge port that handles checks. GitHub lets only Apps create check runs."""

    def check(self: _Client, repository: str, check: CheckRun, check_id: int | None = None) -> PostedCheckRun:
        priority = FINAL if check.status == "completed" else PROGRESS
        if not self.wire.tokens.app:
            path = f"/statuses/{check.head_sha}"
            scope = scopes.statuses(repository)
            answer = self.wire.send("POST", scope, path, json=_status_json(check), priority=priority)
            return PostedCheckRun(0, sent_at(answer))
        method, path = ("PATCH", f"/check-runs/{check_id}") if check_id else ("POST", "/check-runs")
        body = _check_run_json(check)
        if check_id:
            del body["head_sha"]  # a check run cannot be moved to another commit
        answer = self.wire.send(method, scopes.checks(repository), path, json=body, priority=priority)
        # a check run has no time of its last change, so that of the answer counts, which is never too early
        return PostedCheckRun(parsed(answer, lambda data: data.number("id")), sent_at(answer))

    def find_check(self: _Client, repository: str, head_sha: str, name: str) -> int | None:
        """Return the id of the newest check run with this name that the bot's own App created, or None."""
        if not self.wire.tokens.app:
            return None
        checks = self.wire.listed(
            scopes.checks(repository),
            f"/repos/{repository}/commits/{quote(head_sha, safe='')}/check-runs",
            lambda data: (_app_slug(data), data.number("id")),
            key="check_runs",
            params={"check_name": name, "filter": "latest"},
        )
        own_slug = self.me().removesuffix("[bot]")
        return max((number for slug, number in checks if slug == own_slug), default=None)

    def annotations_of(self: _Client, repository: str, check_id: int) -> int:
        return self.wire.get(
            scopes.checks(repository),
            f"/check-runs/{check_id}",
            lambda data: data.fields("output").number("annotations_count"),
        )


def _app_slug(data: Fields) -> str:
    return data.fields("app").text("slug", "") if data.has("app") else ""


def _check_run_json(check: CheckRun) -> dict[str, Any]:
    output: dict[str, Any] = {"title": check.title, "summary": check.summary, "text": check.text}
    if check.annotations:
        output["annotations"] = [_annotation_json(one) for one in check.annotations]
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


def _annotation_json(annotation: Annotation) -> dict[str, Any]:
    return {**asdict(annotation), "annotation_level": "failure"}


def _status_json(check: CheckRun) -> dict[str, str]:
    conclusion = check.conclusion if check.status == "completed" else None
    body = {
        "state": _STATUS[conclusion],
        "context": check.name,
        "description": truncate_description(check.title),
        "target_url": check.details_url,
    }
    return {key: value for key, value in body.items() if value}


def truncate_description(description: str) -> str:
    """Cut a description to the length that GitHub accepts."""
    if len(description) <= MAX_DESCRIPTION:
        return description
    return description[: MAX_DESCRIPTION - 1] + "…"
