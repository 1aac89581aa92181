"""A GitHub deployment for each apply, with its states."""

from __future__ import annotations

from dataclasses import replace

from bot.domain.ports.forge import Deployment, ForgeError
from bot.domain.ports.store import Surface
from bot.domain.run import Run
from bot.services.context import Context
from bot.services.targets import GLANCE, default_policy
from bot.surfaces.projector import tried

DESCRIPTION = 140
"""GitHub: a deployment's description, in characters."""


def project(context: Context, surface: Surface) -> Surface:
    """Create the deployment once Terraform starts, then follow the run's end. An apply that never began has none."""
    with context.store.read() as tables:
        run = tables.runs.get(surface.subject)
    if run is None or (state := state_of(run)) is None:
        return surface
    deployment_id = surface.external.get("deployment_id")
    if deployment_id is None:
        if state not in ("in_progress", "success", "failure", "error") or surface.tried:
            return surface
        tried(context, surface)
        deployment_id = _deploy(context, surface, run)
        surface = replace(surface, external={"deployment_id": deployment_id}, tried=True)
        with context.store.begin() as tables:
            tables.surfaces.save(surface)
    if state == surface.digest:
        return surface
    context.forge.deployment_state(
        surface.repository,
        deployment_id,
        state,  # type: ignore[arg-type]
        description=(run.message.split("\n")[0] if state not in ("success", "in_progress") else "")[
            :DESCRIPTION
        ],
        log_url=context.link(run.id),
    )
    return replace(surface, digest=state)


def _deploy(context: Context, surface: Surface, run: Run) -> int:
    """Create it. After a clear no it may be tried again; after a lost answer it may not, since a deployment cannot be
    looked up by a mark of ours."""
    policy = default_policy(context, surface.repository, GLANCE)
    environment = policy.environments.get(run.target.environment) if policy else None
    wanted = Deployment(
        run.commit,
        str(run.target),
        f"Apply of #{run.pull} by {run.actor.name}"[:DESCRIPTION],
        {"run": run.id, "target": run.target.key},
        production=bool(environment and environment.production),
        transient=bool(run.target.instance),
    )
    try:
        return context.forge.deploy(surface.repository, wanted)
    except ForgeError as error:
        if 400 <= error.status < 500:
            with context.store.begin() as tables:
                tables.surfaces.save(replace(surface, tried=False))
        raise


def state_of(run: Run) -> str | None:
    """GitHub's word for how the apply stands; None where it never touched anything."""
    if run.active:
        return "in_progress" if run.phase in ("applying", "recording") else None
    ends = {"applied": "success", "failed": "failure", "interrupted": "error", "timed_out": "error"}
    return ends.get(run.outcome or "", "error" if run.progress and run.outcome == "cancelled" else None)
