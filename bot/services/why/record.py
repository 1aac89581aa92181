"""What is recorded when Terraform failed."""

from __future__ import annotations

from dataclasses import replace

import structlog

from bot.domain.ports.terraform import CommandResult
from bot.domain.run import Run
from bot.domain.why import Reason
from bot.services.context import Context

log = structlog.get_logger()


def reason_of(context: Context, run: Run, ended: CommandResult) -> Reason:
    """Return what to record of a Terraform that failed: its exit code, and its errors with the files that are part of the
    repository marked. `run.commit` is what it worked on."""
    named = any(error.file for error in ended.errors)
    files = _files(context, run) if named else frozenset()
    errors = tuple(replace(error, tracked=error.file in files) for error in ended.errors)
    return Reason(exit_code=ended.exit_code, diagnostics=errors)


def _files(context: Context, run: Run) -> frozenset[str]:
    try:
        return frozenset(context.git.files(run.target.repository, run.commit))
    except Exception as error:  # an apply must be recorded, whatever is wrong with the copy of the repository
        log.warning("cannot list the repository's files", run=run.id, error=str(error)[:300])
        return frozenset()
