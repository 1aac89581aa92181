"""Artifacts: outputs of a release that the policy declares, stored encrypted and given to people with access."""

from __future__ import annotations

import hashlib
import secrets
from datetime import datetime, timedelta

from bot.domain.actors import Actor
from bot.domain.audit import Entry
from bot.domain.chat import Notice, Result
from bot.domain.policy import Environment
from bot.domain.ports.records import Artifact, Ticket
from bot.domain.ports.store import Store, Tables
from bot.domain.refusal import Refusal
from bot.domain.release import Release
from bot.domain.run import Run
from bot.domain.sanitize import outside
from bot.domain.states import Outputs
from bot.domain.suggest import did_you_mean
from bot.domain.target import Target
from bot.services.context import Context, stable_id

LIFE = timedelta(minutes=10)
"""How long a link is valid."""
FETCHED = "artifact.fetched"


def keep_artifacts(
    context: Context, run: Run, release: Release, environment: Environment, outputs: Outputs
) -> list[str]:
    """Store the outputs that the environment declares as artifacts: text as it is, other values as JSON. Returns the names
    without an output. Repeating it changes nothing."""
    present = [name for name in environment.artifacts if name in outputs]
    if present:
        with context.store.begin() as tables:
            for name in present:
                content = outputs[name].text.encode()
                digest = hashlib.sha256(content).hexdigest()
                artifact = Artifact(
                    stable_id(release.id, name),
                    run.target,
                    release.id,
                    name,
                    digest,
                    len(content),
                    context.now(),
                )
                tables.artifacts.keep(artifact, content)
    return [name for name in environment.artifacts if name not in outputs]


def list_artifacts(context: Context, target: Target) -> Result:
    """List a target's artifacts with their ages."""
    with context.store.read() as tables:
        artifacts = tables.artifacts.of_target(target)
    if not artifacts:
        return Notice(
            f"{target} has no artifacts.",
            "To keep outputs after an apply, list them as the environment's `artifacts` in `envs/environments.toml`.",
        )
    now = context.now()
    lines = "\n".join(f"- `{one.name}`, {_age(now - one.created_at)} old" for one in artifacts)
    return Notice(
        f"Artifacts of {target}:\n{lines}",
        f"Run `{_command(target, artifacts[0].name)}` in Slack to fetch one.",
    )


def offer_artifact(context: Context, actor: Actor, target: Target, name: str) -> Result:
    """Offer a link to an artifact that works once within ten minutes, visible only to the requester. Raises Refusal."""
    with context.store.begin() as tables:
        artifact = tables.artifacts.get(target, name)
        if artifact is None:
            names = [one.name for one in tables.artifacts.of_target(target)]
            guess = did_you_mean(name, names)
            raise Refusal(
                "no-artifact",
                f"{target} has no artifact `{outside(name)}`.",
                f"Did you mean `{_command(target, guess)}`?"
                if guess
                else f"Run `{_command(target)}` for the list.",
            )
        token = secrets.token_urlsafe(32)
        until = context.now() + LIFE
        tables.artifacts.issue(Ticket(_digest(token), artifact.id, actor.login, until))
    return Notice(
        f"[Fetch {artifact.name} of {target}]({context.address}/artifacts/{token}). Only you can see this link. It works once, "
        f"until {until:%H:%M} UTC; the download is recorded in the audit log."
    )


def redeem_ticket(store: Store, token: str, now: datetime) -> tuple[Artifact, bytes] | None:
    """Redeem a link's token for its artifact, once, and record it in the same transaction. Returns None for an invalid
    token."""
    with store.begin() as tables:
        ticket = tables.artifacts.redeem(_digest(token), now)
        artifact = tables.artifacts.by_id(ticket.artifact_id) if ticket else None
        if ticket is None or artifact is None:
            return None
        return artifact, _read_recorded(tables, artifact, now, ticket.login)


def _read_recorded(tables: Tables, artifact: Artifact, now: datetime, login: str) -> bytes:
    content = tables.artifacts.content(artifact.id)
    tables.audit.add(
        Entry(
            now,
            FETCHED,
            login=login,
            via="link",
            repository=artifact.target.repository,
            target=artifact.target.key,
            facts={"name": artifact.name, "release": artifact.release_id, "digest": artifact.digest},
        )
    )
    return content


def _command(target: Target, name: str = "") -> str:
    """Return the command, such as `/artifact prod kubeconfig`; the stack only if it is not the default one."""
    return " ".join(word for word in ("/artifact", target.environment, name, target.named_stack) if word)


def _age(age: timedelta) -> str:
    minutes = int(age.total_seconds()) // 60
    if minutes < 60:
        return f"{minutes} min"
    return f"{minutes // 60} h" if minutes < 48 * 60 else f"{minutes // 1440} days"


def _digest(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()
