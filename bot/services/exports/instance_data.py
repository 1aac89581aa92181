"""Data for an instance: the newest masked export, loaded between its apply and its smoke checks. Never prod's own data."""

from __future__ import annotations

import time

from bot.domain.exports import Export, Manifest, PreviewData
from bot.domain.ports.exports import Cancelled, ExportControl, ExportJob, ExportSecrets
from bot.domain.ports.smoke import SmokeResult
from bot.domain.ports.terraform import Control, Progress
from bot.domain.run import Run
from bot.domain.states import Outputs
from bot.errors import UserError
from bot.services.context import Context
from bot.services.exports.job import exporter_of
from bot.services.exports.policies import ExportSettings, default_settings

FRESH = 60.0
"""Seconds for which GitHub's last answer is fresh enough: every apply of an instance asks."""
NAME = "data"
"""What it is called among the checks of a release."""


def load_instance_data(
    context: Context, run: Run, outputs: Outputs, control: Control
) -> tuple[SmokeResult, ...]:
    """Load what `[data.<environment>]` declares; return the result as a check, () if there is nothing to load."""
    if not run.target.instance or context.exporter is None:
        return ()
    began = time.monotonic()
    try:
        settings = default_settings(context, run.target.repository, FRESH)
        data = settings.exports.previews.get(run.target.environment)
        if data is None or data.stack != run.target.stack:
            return ()
        found = _newest(context, run.target.repository, data.export)
        if found is None:
            control.on_progress(Progress(f"No export of {data.export} yet: the database stays empty."))
            return ()
        control.on_progress(Progress(f"Loading the data of export {found[0].id}", NAME, "started", "check"))
        _load(context, settings, run, data, found[1], outputs, control)
    except (UserError, Cancelled) as error:
        what = error.what if isinstance(error, UserError) else "Cancelled."
        return (SmokeResult(NAME, False, what, time.monotonic() - began, 1),)
    message = f"{found[1].rows:,} rows of export {found[0].id}"
    return (SmokeResult(NAME, True, message, time.monotonic() - began, 1),)


def _newest(context: Context, repository: str, environment: str) -> tuple[Export, Manifest] | None:
    with context.store.read() as tables:
        for one in tables.exports.of_environment(repository, environment, 50):
            if (
                one.kind == "export"
                and one.outcome == "done"
                and (manifest := tables.exports.manifest(one.id))
            ):
                return one, manifest
    return None


def _load(
    context: Context,
    settings: ExportSettings,
    run: Run,
    data: PreviewData,
    manifest: Manifest,
    outputs: Outputs,
    control: Control,
) -> None:
    if data.output not in outputs:
        raise UserError(
            f"Stack `{data.stack}` has no output `{data.output}`, which is to have the database's address.",
            next_step=f"Declare it, or correct `[data.{data.environment}]` in `envs/export.toml`.",
        )
    secrets = ExportSecrets(target=outputs[data.output].text)
    job = ExportJob(
        manifest.export, run.target.repository, run.target.environment, settings.export(data.export), secrets
    )
    watched = ExportControl(lambda _phase, _progress: None, control.cancelled)
    exporter_of(context).load_instance(job, manifest, data.tables, watched)
