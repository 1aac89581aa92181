"""A GitHub deployment for each apply, with its status."""

from __future__ import annotations

from dataclasses import replace
from typing import Literal

from bot.domain.policy import Environment
from bot.domain.ports.forge import Deployment, ForgeError
from bot.domain.ports.surfaces import Surface
from bot.domain.release import Release
from bot.domain.run import Run
from bot.services.context import Context, stable_id
from bot.services.targets import GLANCE, readable_policy
from bot.surfaces.projector import mark_tried

DESCRIPTION = 140
"""GitHub: characters of a deployment's description."""
RECENT_RUNS = 100
"""Latest runs of a repository that are searched for earlier deployments."""

State = Literal["in_progress", "success", "failure", "error", "inactive"]


def project(context: Context, surface: Surface) -> Surface:
    """Create the deployment when Terraform starts, then update it until the run ends. An apply that never started has none."""
    with context.store.read() as tables:
        run = tables.runs.get(surface.subject)
        release = tables.releases.get(stable_id(surface.subject, "release"))
        instance = tables.instances.get(run.target) if run and run.target.instance else None
    if run is None or surface.digest == "inactive" or (state := state_of(run, release)) is None:
        return surface
    if state == "success" and instance is not None and not instance.exists:
        state = "inactive"
    environment = _environment(context, run)
    deployment_id = surface.external.get("deployment_id")
    if deployment_id is None:
        if surface.tried:
            return surface
        mark_tried(context, surface)
        deployment_id = _deploy(context, surface, run, environment)
        surface = _save(context, replace(surface, external={"deployment_id": deployment_id}, tried=True))
    if state != surface.digest:
        context.forge.deployment_state(
            surface.repository,
            deployment_id,
            state,
            description="Destroyed" if state == "inactive" else _description(run, release, state),
            log_url=context.link(run.id),
            environment_url=release.url if release and state == "success" else "",
        )
        surface = _save(context, replace(surface, digest=state))
    if state == "success" and environment is not None and (environment.production or run.target.instance):
        _retire(context, run)
    return surface


def state_of(run: Run, release: Release | None) -> State | None:
    """Return GitHub's name for the apply's state; None if it never changed anything. release: the one it left."""
    if run.active:
        return "in_progress" if run.phase in ("applying", "recording", "verifying") else None
    if run.outcome == "applied":
        states: dict[str, State] = {"running": "in_progress", "failed": "failure"}
        return states.get(release.verification, "success") if release else "success"
    failures: dict[str, State] = {"failed": "failure", "interrupted": "error", "timed_out": "error"}
    return failures.get(run.outcome or "", "error" if run.progress and run.outcome == "cancelled" else None)


def _description(run: Run, release: Release | None, state: State) -> str:
    if run.outcome == "applied" and state == "failure" and release is not None:
        check = release.failed_check
        done = "reverted" if run.reverts else "applied"
        return _cut(
            f"{done}, but smoke check {check['name']} failed" if check else f"{done}, but not verified"
        )
    if state in ("failure", "error"):
        return _cut(run.message)
    return _forced(run)


def _title(run: Run) -> str:
    if run.reverts:
        return f"Revert of {run.target} to {run.commit[:7]} by {run.actor.name} in #{run.pull}"
    return f"Apply of #{run.pull} by {run.actor.name}"


def _forced(run: Run) -> str:
    return _cut(f"forced by {run.actor.name}: {run.forced}") if run.forced else ""


def _cut(text: str) -> str:
    """Return the first line, shortened if it is too long."""
    line = text.split("\n", maxsplit=1)[0]
    return line if len(line) <= DESCRIPTION else f"{line[: DESCRIPTION - 1]}…"


def _deploy(context: Context, surface: Surface, run: Run, environment: Environment | None) -> int:
    """Create the deployment. After a clear refusal it may be tried again; after a lost response it may not, since a
    deployment cannot be found by a marker."""
    deployment = Deployment(
        run.commit,
        str(run.target),
        _forced(run) or _cut(_title(run)),
        {"run": run.id, "target": run.target.key},
        production=bool(environment and environment.production),
        transient=bool(run.target.instance),
    )
    try:
        return context.forge.deploy(surface.repository, deployment)
    except ForgeError as error:
        if 400 <= error.status < 500:
            _save(context, replace(surface, tried=False))
        raise


def _retire(context: Context, run: Run) -> None:
    """Set the target's earlier deployments to inactive. GitHub does this itself (`auto_inactive`), except in production
    and transient environments, where all of them would be shown as active."""
    with context.store.read() as tables:
        earlier = [
            tables.surfaces.get(f"deployment:{one.id}")
            for one in tables.runs.recent(run.target.repository, RECENT_RUNS)
            if one.kind == "apply" and one.target == run.target and _before(one, run)
        ]
    for surface in earlier:
        if surface is not None and surface.digest == "success":
            context.forge.deployment_state(
                surface.repository, surface.external["deployment_id"], "inactive", description="Superseded"
            )
            _save(context, replace(surface, digest="inactive"))


def _before(one: Run, run: Run) -> bool:
    return one.id != run.id and bool(one.created_at and run.created_at and one.created_at < run.created_at)


def _environment(context: Context, run: Run) -> Environment | None:
    policy = readable_policy(context, run.target.repository, GLANCE)
    return policy.environments.get(run.target.environment) if policy else None


def _save(context: Context, surface: Surface) -> Surface:
    with context.store.begin() as tables:
        tables.surfaces.save(surface)
    return surface
