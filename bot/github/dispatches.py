"""Start workflows of GitHub Actions, follow and cancel their runs, and read their artifacts."""

from __future__ import annotations

import io
import zipfile
import zlib
from collections.abc import Mapping
from datetime import datetime
from typing import Protocol
from urllib.parse import quote

from bot.domain.runner import WorkflowRun
from bot.github import scopes
from bot.github.download import download_end
from bot.github.fields import Fields
from bot.github.wire import Wire, parsed_list

LARGEST = 64 << 20
"""Bytes of an artifact, packed and unpacked."""


class _Client(Protocol):
    wire: Wire


class Dispatches:
    """The part of the Forge port that has workflows run. An App needs the permission Actions: write."""

    def dispatch_workflow(
        self: _Client, repository: str, file: str, branch: str, inputs: Mapping[str, str]
    ) -> None:
        path = f"/actions/workflows/{quote(file, safe='')}/dispatches"
        self.wire.send(
            "POST", scopes.dispatches(repository), path, json={"ref": branch, "inputs": dict(inputs)}
        )

    def dispatched_runs(self: _Client, repository: str, file: str, since: datetime) -> list[WorkflowRun]:
        path = f"/actions/workflows/{quote(file, safe='')}/runs"
        params = {"event": "workflow_dispatch", "per_page": "100"}  # the newest come first
        answer = self.wire.send("GET", scopes.dispatches(repository), path, params=params)
        found = [run for run in parsed_list(answer, _run, "workflow_runs") if run.created_at >= since]
        return sorted(found, key=lambda run: run.id)

    def workflow_run(self: _Client, repository: str, run_id: int) -> WorkflowRun:
        return self.wire.get(scopes.dispatches(repository), f"/actions/runs/{run_id}", _run)

    def cancel_workflow(self: _Client, repository: str, run_id: int) -> None:
        self.wire.send("POST", scopes.dispatches(repository), f"/actions/runs/{run_id}/cancel")

    def workflow_artifact(self: _Client, repository: str, run_id: int, name: str) -> bytes | None:
        scope, path = scopes.dispatches(repository), f"/actions/runs/{run_id}/artifacts"
        answer = self.wire.send("GET", scope, path, params={"name": name})
        found = [
            one.number("id")
            for one in parsed_list(answer, lambda data: data, "artifacts")
            if one.text("name", "") == name and not one.flag("expired")
        ]
        if not found:
            return None
        url = self.wire.location(scope, f"/actions/artifacts/{found[0]}/zip")
        return _only_file(download_end(url, LARGEST, largest=LARGEST))


def _only_file(packed: bytes) -> bytes:
    """Return the only file of an archive, b"" if there is no such file. Whoever can start workflows can make one, so the size
    that it names is not believed."""
    try:
        with zipfile.ZipFile(io.BytesIO(packed)) as archive:
            (name,) = archive.namelist()
            with archive.open(name) as file:
                content = file.read(LARGEST + 1)
    except (zipfile.BadZipFile, ValueError, NotImplementedError, RuntimeError, zlib.error):
        return b""
    return content if len(content) <= LARGEST else b""


def _run(data: Fields) -> WorkflowRun:
    actor = data.fields("actor").text("login", "") if data.has("actor") else ""
    return WorkflowRun(
        data.number("id"),
        data.text("display_title", ""),
        actor,
        data.text("head_branch", ""),
        data.text("status", ""),
        data.text("conclusion", ""),
        data.text("html_url", ""),
        data.time("created_at"),
    )
