"""Create deployments and their statuses, which GitHub shows per environment."""

from __future__ import annotations

from typing import Literal, Protocol

from bot.domain.ports.forge import Deployment
from bot.github import scopes
from bot.github.checks import truncate_description
from bot.github.wire import FINAL, PROGRESS, Wire


class _Client(Protocol):
    wire: Wire


class Deployments:
    """The part of the Forge port that handles deployments."""

    def deploy(self: _Client, repository: str, deployment: Deployment) -> int:
        """Create a deployment; return its id.

        GitHub must neither merge the base branch in nor wait for checks: the bot has its own gates.
        """
        body = {
            "ref": deployment.ref,
            "auto_merge": False,
            "required_contexts": [],
            "environment": deployment.environment,
            "description": truncate_description(deployment.description),
            "payload": deployment.payload,
            "production_environment": deployment.production,
            "transient_environment": deployment.transient,
        }
        return self.wire.write(
            "POST",
            scopes.deployments(repository),
            "/deployments",
            body,
            lambda data: data.number("id"),
            priority=PROGRESS,
        )

    def deployment_state(
        self: _Client,
        repository: str,
        deployment_id: int,
        state: Literal["error", "failure", "inactive", "in_progress", "queued", "pending", "success"],
        *,
        description: str = "",
        log_url: str = "",
        environment_url: str = "",
    ) -> None:
        body = {
            "state": state,
            "description": truncate_description(description),
            "log_url": log_url,
            "environment_url": environment_url,
        }
        final = state in ("error", "failure", "inactive", "success")
        self.wire.send(
            "POST",
            scopes.deployments(repository),
            f"/deployments/{deployment_id}/statuses",
            json={key: value for key, value in body.items() if value},
            priority=FINAL if final else PROGRESS,
        )
