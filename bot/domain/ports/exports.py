"""Port for the data of an export: reading, masking, storing, loading and swapping databases."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Protocol

from bot.domain.exports import (
    DatabaseSchema,
    ExportPhase,
    ExportPolicy,
    Manifest,
    Preview,
    Progress,
    TableName,
)


@dataclass(frozen=True)
class ExportSecrets:
    """What an export connects with: PostgreSQL addresses (`postgresql://…`) and the masking key. Never logged.

    source, target: "" where a step does not need it. replica: read instead of the source, "" without one. sealing_key: what
    files are encrypted with, as `bot.vault.Vault` takes it.
    """

    source: str = field(default="", repr=False)
    replica: str = field(default="", repr=False)
    target: str = field(default="", repr=False)
    masking_key: str = field(default="", repr=False)
    sealing_key: str = field(default="", repr=False)


@dataclass(frozen=True)
class ExportJob:
    """One export's work. export: its id. repository, environment: whose data is replaced, as in the target's marker."""

    export: str
    repository: str
    environment: str
    policy: ExportPolicy
    secrets: ExportSecrets


@dataclass(frozen=True)
class ExportControl:
    """How a step is watched and stopped. progress: called about once a second with the phase and how far it is.
    cancelled: asked several times a second."""

    progress: Callable[[ExportPhase, Progress], None]
    cancelled: Callable[[], bool]


class Exporter(Protocol):
    """Carries out the steps. Each may be repeated after a crash, and goes on or begins again; the target is at any time
    either the database before or the one after.

    Each raises UserError with what is wrong and the next step, TransientError if a server or the bucket does not answer,
    and Cancelled if `control.cancelled()` was true.
    """

    def inspect(self, job: ExportJob, control: ExportControl) -> DatabaseSchema:
        """Return the source's schema. Reads no row of any table."""
        ...

    def preview(self, job: ExportJob, control: ExportControl) -> Preview:
        """Check the policy against the source, and count what would be exported."""
        ...

    def extract(self, job: ExportJob, preview: Preview, control: ExportControl) -> Manifest:
        """Write masked files and, last, the manifest. Raises UserError if the schema is not the preview's any more."""
        ...

    def load(self, job: ExportJob, manifest: Manifest, control: ExportControl) -> tuple[str, ...]:
        """Load the files into a database next to the target, and verify it. Goes on where a killed load stopped. Returns a
        sentence for each thing that people should look at."""
        ...

    def swap(self, job: ExportJob, manifest: Manifest, control: ExportControl) -> str:
        """Let the loaded database replace the target, and return the name of the one that it replaced. Does nothing if that
        has happened already."""
        ...

    def roll_back(self, job: ExportJob, control: ExportControl) -> str:
        """Let the previous database replace the target again; return the id of the export that is live then, "" if none was."""
        ...

    def clean(self, job: ExportJob, keep: frozenset[str]) -> None:
        """Drop a half-loaded database and unfinished files of this environment; delete the files of all exports but `keep`."""
        ...

    def load_instance(
        self, job: ExportJob, manifest: Manifest, tables: tuple[TableName, ...], control: ExportControl
    ) -> None:
        """Load the files, or those of some tables and of the parents that their rows need, into an instance's empty
        database (`job.secrets.target`)."""
        ...


class Cancelled(Exception):
    """A step ended early because somebody cancelled the export."""
