"""An export as people see it: the row, and what belongs with it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from bot.domain.exports.manifest import Manifest, Preview
from bot.domain.exports.model import Export


@dataclass(frozen=True)
class ExportView:
    """preview, manifest: None until they exist. changes: lines of a diff of the policy since the last approved export,
    () if it is the same or the first. missing: whose approval is still needed, in words that follow "Needs"; "" if nobody's.
    link: address of its page.
    """

    export: Export
    preview: Preview | None = None
    manifest: Manifest | None = None
    changes: tuple[str, ...] = ()
    missing: str = ""
    link: str = ""


@dataclass(frozen=True)
class ExportHistory:
    """The newest exports of an environment, newest first. due_at: when the schedule asks for the next one (UTC), None without
    a schedule."""

    environment: str
    exports: tuple[Export, ...]
    due_at: datetime | None = None
