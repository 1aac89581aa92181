"""The `Exporter` port: each step runs in a worker process of its own, in the sandbox."""

from __future__ import annotations

import os
import sys
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from bot.domain.env_allowlist import PROXIES, inherited
from bot.domain.exports import DatabaseSchema, Manifest, Preview, TableName
from bot.domain.ports.exports import ExportControl, ExportJob
from bot.exports.files import Location
from bot.exports.reach import Reach, reach_of_database, reach_of_web
from bot.exports.worker.messages import Confinement, Order, StepName
from bot.exports.worker.process import WorkerCommand, carry_out
from bot.sandbox import Sandbox


@dataclass(frozen=True)
class SandboxedExporter:
    """Implements bot.domain.ports.exports.Exporter.

    files: where exports are stored. sandbox: what confines the workers. environment: the bot's own, of which a worker gets
    what every child process gets. sealing_key: what files are encrypted with.
    """

    files: Location
    sandbox: Sandbox
    environment: Mapping[str, str]
    directory: Path
    sealing_key: str = field(repr=False)

    def inspect(self, job: ExportJob, control: ExportControl) -> DatabaseSchema:
        found: DatabaseSchema = self._step("inspect", job, control)
        return found

    def preview(self, job: ExportJob, control: ExportControl) -> Preview:
        found: Preview = self._step("preview", job, control)
        return found

    def extract(self, job: ExportJob, preview: Preview, control: ExportControl) -> Manifest:
        found: Manifest = self._step("extract", job, control, preview=preview)
        return found

    def load(self, job: ExportJob, manifest: Manifest, control: ExportControl) -> tuple[str, ...]:
        return tuple(self._step("load", job, control, manifest=manifest))

    def swap(self, job: ExportJob, manifest: Manifest, control: ExportControl) -> str:
        return str(self._step("swap", job, control, manifest=manifest))

    def roll_back(self, job: ExportJob, control: ExportControl) -> str:
        return str(self._step("roll_back", job, control))

    def clean(self, job: ExportJob, keep: frozenset[str]) -> None:
        self._step("clean", job, ExportControl(lambda _phase, _progress: None, lambda: False), keep=keep)

    def load_instance(
        self, job: ExportJob, manifest: Manifest, tables: tuple[TableName, ...], control: ExportControl
    ) -> None:
        self._step("load_instance", job, control, manifest=manifest, tables=tables)

    def _step(self, step: StepName, job: ExportJob, control: ExportControl, **given: Any) -> Any:
        """Carry out a step. Its directory has nothing of the export but a log, and is removed afterwards."""
        job = replace(job, secrets=replace(job.secrets, sealing_key=self.sealing_key))
        self.directory.mkdir(parents=True, exist_ok=True, mode=0o700)
        with tempfile.TemporaryDirectory(prefix=f"{step}-", dir=self.directory) as made:
            order = Order(step, job, self.files, **given)
            return carry_out(*self._confined(order, Path(made)), control)

    def _confined(self, order: Order, directory: Path) -> tuple[WorkerCommand, Order]:
        """Return the worker's command and its order, such that it reaches its databases, its bucket and its directory.

        Landlock limits the ports it connects to; bubblewrap leaves the network alone.
        """
        reach = self._reach(order)
        stored = (self.files.directory,) if self.files.directory else ()
        for path in stored:
            Path(path).mkdir(parents=True, exist_ok=True, mode=0o700)  # Landlock lets in what exists
        access = self.sandbox.base.with_readable(*map(Path, reach.readable))
        access = access.with_writable(directory, *map(Path, (*stored, *reach.sockets)))
        confined = self.sandbox.confine((sys.executable, "-m", "bot.exports.worker"), access, directory)
        env = inherited(self.environment) | {
            "HOME": str(directory),
            "TMPDIR": str(directory),
            "SQLITE_TMPDIR": str(directory),
            "PYTHONPATH": os.pathsep.join(path for path in sys.path if path),
        }
        if confined.rules is not None:
            order = replace(order, confinement=Confinement(*confined.rules, reach.ports))
        return WorkerCommand(confined.argv, env, directory), order

    def _reach(self, order: Order) -> Reach:
        secrets = order.job.secrets
        urls = (secrets.source, secrets.replica, secrets.target)
        found = Reach()
        for url in urls:
            found |= reach_of_database(url)
        if self.files.bucket:
            found |= reach_of_web(self.files.endpoint or "https://s3.amazonaws.com")
            for name, value in self.environment.items():
                if name.lower() in PROXIES and name.lower() != "no_proxy":
                    found |= reach_of_web(value)
        return found
