"""Terraform's errors at the lines of the files that they name, in the check of the run that failed.

GitHub keeps annotations as long as the check: each update adds more, and none can be taken away.
"""

from __future__ import annotations

from dataclasses import replace

from bot.domain.ports.forge import Annotation, CheckRun
from bot.domain.ports.surface_json import PostedContent
from bot.domain.ports.surfaces import Surface
from bot.render.annotations import annotations_of
from bot.services.context import Context
from bot.surfaces.check_runs import record_posted


def without_others(context: Context, surface: Surface, check: CheckRun) -> Surface:
    """Forget the posted check if it has the annotations of another run, so that a new check takes its place: errors that
    were fixed by a later plan of the same commit must not stay beside it."""
    shown = surface.external.get("annotating") or surface.external.get("annotated")
    if not shown or shown == check.external_id:
        return surface
    old = surface.external.get("check_id") or context.forge.find_check(
        surface.repository, check.head_sha, check.name
    )
    external: PostedContent = {"head_sha": check.head_sha, "replaced": old or 0}
    surface = replace(surface, external=external)
    with context.store.begin() as tables:
        tables.surfaces.save(surface)
    return surface


def annotate(
    context: Context, surface: Surface, check: CheckRun, check_id: int | None
) -> tuple[Surface, CheckRun]:
    """Return the check with its run's annotations, unless it has them already.

    The attempt is recorded first. If the response was lost, GitHub is asked whether they arrived before they are sent again.
    """
    run_id = check.external_id
    if not context.forge.checks or check.status != "completed" or surface.external.get("annotated") == run_id:
        return surface, check
    found = _annotations(context, run_id, check.head_sha)
    if not found:
        return surface, check
    attempted = surface.external.get("annotating") == run_id
    if attempted and check_id is not None and context.forge.annotations_of(surface.repository, check_id):
        return surface, check
    surface = record_posted(context, surface, {"annotating": run_id})
    return surface, replace(check, annotations=found)


def _annotations(context: Context, run_id: str, commit: str) -> tuple[Annotation, ...]:
    """A revert's check is on the pull request's commit, whose files have other lines."""
    with context.store.read() as tables:
        run, failure = tables.runs.get(run_id), tables.failures.get(run_id)
    if run is None or failure is None or run.commit != commit:
        return ()
    return annotations_of(failure)
