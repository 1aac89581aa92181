"""Exports in every phase, for the snapshots."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

from bot.domain.actors import SYSTEM, Actor
from bot.domain.chat import Result
from bot.domain.exports import (
    Export,
    ExportHistory,
    ExportView,
    Manifest,
    Part,
    Preview,
    Progress,
    TableCount,
    TableFiles,
    TableName,
)
from tests.unit.render.facts import HEAD, NASTY, REPOSITORY

NOW = datetime(2026, 11, 22, 14, 3, tzinfo=UTC)
PEOPLE, ORDERS, EMPTY = (TableName("public", name) for name in ("people", "orders", "audit_log"))
EXPORT = Export(
    "e1",
    "export",
    REPOSITORY,
    "staging",
    "prod",
    HEAD,
    "digest",
    Actor("ann"),
    created_at=NOW,
    started_at=NOW,
)
PREVIEW = Preview(
    (
        TableCount(PEOPLE, 1200, 24_000, 96_000, ("email", "name"), ("notes",), "root"),
        TableCount(ORDERS, 5310, 100_000, 3_400_000, (), (), "children of public.people"),
        TableCount(EMPTY, 0, 9, 0),
    ),
    "schema",
    "digest",
    NOW,
    ("1 large object is not exported; columns that refer to it keep its number.",),
)
FILES = TableFiles(PEOPLE, ("id",), 1200, (Part("public.people/00001.copy.zst", 1200, 40_000, "0" * 64),))
MANIFEST = Manifest(
    "e1", REPOSITORY, "staging", "prod", (FILES,), (), "schema.dump", "", "", "", "key", 160004, NOW, NOW
)


def results() -> dict[str, Result]:
    running = replace(
        EXPORT,
        phase="extracting",
        progress=Progress(300, 1200, 81_920, "public.people", 151_234.0, 6.0),
        due_at=NOW,
        actor=SYSTEM,
        missed=("15 Nov 14:03 UTC",),
    )
    ended = replace(EXPORT, phase="finished", finished_at=NOW)
    done = replace(
        ended,
        outcome="done",
        previous="shop_prev",
        approved_by=("bob",),
        notes=("`public.people.code` is kept and has what looks like phone numbers.",),
    )
    failed = replace(
        ended,
        outcome="failed",
        message=f"{NASTY} refused.",
        next_step="`/export staging now`",
        reference="T-7K3M9Q",
    )
    asked = replace(EXPORT, phase="approval", expires_at=NOW)
    return {
        "export_queued": ExportView(EXPORT),
        "export_running": ExportView(running, PREVIEW),
        "export_waiting": ExportView(
            replace(running, progress=Progress(waiting="117 sessions are active, and limits.sessions is 100"))
        ),
        "export_approval": ExportView(
            asked,
            PREVIEW,
            changes=("@@ -3 +3 @@", '-notes = "null"', '+notes = "keep"'),
            missing="approval by @bob",
        ),
        "export_preview": ExportView(replace(ended, kind="preview", outcome="done"), PREVIEW),
        "export_done": ExportView(
            done, PREVIEW, MANIFEST, link="https://towpath.example.com/exports/e1?key=1"
        ),
        "export_failed": ExportView(failed),
        "export_rollback": ExportView(
            replace(
                ended, kind="rollback", outcome="done", message="staging has the data of export `e0` again."
            )
        ),
        "export_history": ExportHistory("staging", (running, done, failed), NOW),
        "export_history_empty": ExportHistory("staging", ()),
    }
