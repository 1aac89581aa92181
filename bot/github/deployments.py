"""Deployments and their states: what the pull request and the repository's page show per environment."""

from __future__ import annotations

from typing import Literal, Protocol

from bot.domain.ports.forge import Deployment
from bot.github.checks import shortened
from bot.github.wire import FINAL, PROGRESS, Wire


class _Bot(Protocol):
    wire: Wire


class Deployments:
    """The port's methods on deployments."""

    def deploy(self: _Bot, repository: str, deployment: Deployment) -> int:
        """Neither merges the base in nor waits for checks: gates are the bot's own."""
        body = {
            "ref": deployment.ref,
            "auto_merge": False,
            "required_contexts": [],
            "environment": deployment.environment,
            "description": shortened(deployment.description),
            "payload": deployment.payload,
            "production_environment": deployment.production,
            "transient_environment": deployment.transient,
        }
        return self.wire.write(
            "POST", repository, "/deployments", body, lambda data: data.number("id"), priority=PROGRESS
        )

    def deployment_state(
        self: _Bot,
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
            "description": shortened(description),
            "log_url": log_url,
            "environment_url": environment_url,
        }
        final = state in ("error", "failure", "inactive", "success")
        self.wire.send(
            "POST",
            repository,
            f"/deployments/{deployment_id}/statuses",
            json={key: value for key, value in body.items() if value},
            priority=FINAL if final else PROGRESS,
        )
