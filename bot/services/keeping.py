"""Artifacts: declared outputs that a release left, kept sealed, and given out to those who may have them."""

from __future__ import annotations

import hashlib
import secrets
from datetime import datetime, timedelta

from bot.domain.answers import Refused
from bot.domain.audit import Entry
from bot.domain.outputs import Outputs
from bot.domain.people import Actor
from bot.domain.policy import Environment
from bot.domain.ports.records import Artifact, Ticket
from bot.domain.ports.store import Store, Tables
from bot.domain.release import Release
from bot.domain.results import Noted, Result
from bot.domain.run import Run
from bot.domain.suggest import did_you_mean
from bot.domain.target import Target
from bot.domain.words import outside
from bot.services.context import Context, stable_id

LIFE = timedelta(minutes=10)
FETCHED = "artifact.fetched"


def keep_artifacts(
    context: Context, run: Run, release: Release, environment: Environment, outputs: Outputs
) -> list[str]:
    """Keep what the environment declares: texts as they are, others as JSON. Returns the names that are no outputs.
    Done again it changes nothing."""
    found = [name for name in environment.artifacts if name in outputs]
    if found:
        with context.store.begin() as tables:
            for name in found:
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


def listed(context: Context, target: Target) -> Result:
    """The names and ages of a target's artifacts."""
    with context.store.read() as tables:
        found = tables.artifacts.of_target(target)
    if not found:
        return Noted(
            f"{target} has no artifacts.",
            "`artifacts` of the environment in `envs/environments.toml` names outputs to keep after an apply.",
        )
    now = context.now()
    lines = "\n".join(f"- `{one.name}`, kept {_age(now - one.created_at)} ago" for one in found)
    return Noted(
        f"Artifacts of {target}:\n{lines}", f"`{_command(target, found[0].name)}` fetches one, in Slack."
    )


def offer(context: Context, actor: Actor, target: Target, name: str) -> Result:
    """A link that gives the artifact once, within ten minutes, for the eyes of the asker alone."""
    with context.store.begin() as tables:
        artifact = tables.artifacts.get(target, name)
        if artifact is None:
            there = [one.name for one in tables.artifacts.of_target(target)]
            guess = did_you_mean(name, there)
            return Refused(
                "no-artifact",
                f"{target} has no artifact `{outside(name)}`.",
                f"`{_command(target, guess)}`" if guess else f"`{_command(target)}` lists what there is.",
            )
        token = secrets.token_urlsafe(32)
        until = context.now() + LIFE
        tables.artifacts.issue(Ticket(_digest(token), artifact.id, actor.login, until))
    return Noted(
        f"[Fetch {artifact.name} of {target}]({context.address}/artifacts/{token}): this link is yours alone, works "
        f"once, and until {until:%H:%M} UTC. That it was fetched is recorded."
    )


def redeem(store: Store, token: str, now: datetime) -> tuple[Artifact, bytes] | None:
    """What a link's token gives: once, and recorded in the same transaction or not at all. None where it gives
    nothing (any more)."""
    with store.begin() as tables:
        ticket = tables.artifacts.redeem(_digest(token), now)
        artifact = tables.artifacts.by_id(ticket.artifact_id) if ticket else None
        if ticket is None or artifact is None:
            return None
        return artifact, _given(tables, artifact, now, ticket.login, "link")


def fetch(store: Store, artifact_id: str, now: datetime) -> tuple[Artifact, bytes] | None:
    """The same for whoever has the console's key."""
    with store.begin() as tables:
        artifact = tables.artifacts.by_id(artifact_id)
        return (artifact, _given(tables, artifact, now, "", "console")) if artifact else None


def _given(tables: Tables, artifact: Artifact, now: datetime, login: str, via: str) -> bytes:
    content = tables.artifacts.content(artifact.id)
    tables.audit.add(
        Entry(
            now,
            FETCHED,
            login=login,
            via=via,
            repository=artifact.target.repository,
            target=artifact.target.key,
            facts={"name": artifact.name, "release": artifact.release_id, "digest": artifact.digest},
        )
    )
    return content


def _command(target: Target, name: str = "") -> str:
    """`/artifact prod kubeconfig`; the stack only where it is not the usual one."""
    stack = "" if target.stack == "infra" else target.stack
    return " ".join(word for word in ("/artifact", target.environment, name, stack) if word)


def _age(age: timedelta) -> str:
    minutes = int(age.total_seconds()) // 60
    if minutes < 60:
        return f"{minutes} min"
    return f"{minutes // 60} h" if minutes < 48 * 60 else f"{minutes // 1440} days"


def _digest(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()
