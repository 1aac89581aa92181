"""The jobs of the workflows: which targets the policy plans on pull requests, and in which order they are applied."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from bot.domain.policy import Environment, Policy, Stack
from bot.domain.target import DEFAULT_STACK, Target

_UNSAFE = re.compile(r"[^A-Za-z0-9_-]")
_SETTINGS = "TOWPATH_"


@dataclass(frozen=True)
class PlanJob:
    """The job that plans all targets of a pull request. identity: whether an environment takes roles in clouds. secrets:
    names of the secrets that it passes on."""

    identity: bool
    secrets: tuple[str, ...]


@dataclass(frozen=True)
class ApplyJob:
    """The job that applies one target. needs: ids of the jobs of the environment that it is promoted from, and of the stacks
    that it comes after. plan_secrets: those of its secrets that are not for applies only."""

    id: str
    title: str
    environment: str
    stack: str
    needs: tuple[str, ...]
    identity: bool
    secrets: tuple[str, ...]
    plan_secrets: tuple[str, ...]


def plan_job(policy: Policy, secrets: Sequence[str]) -> PlanJob:
    """Return the job for pull requests. It gets no secret that is for applies only."""
    planned = {env.name: env for stack in policy.stacks.values() for env in _planned(policy, stack)}
    own = [
        name
        for name in secrets
        if name.startswith(_SETTINGS)
        or any(_is_of(policy, name, env) and not _is_of(policy, name, env, "APPLY_") for env in planned)
    ]
    return PlanJob(any(bool(env.identity) for env in planned.values()), tuple(own))


def apply_jobs(policy: Policy, secrets: Sequence[str]) -> tuple[ApplyJob, ...]:
    """Return a job for each target that exists once and is planned on pull requests, stacks that others come after first. Each gets
    the secrets of its own environment only."""
    return _jobs(policy, secrets, [one for one in _lasting(policy) if one[1].on_pull_request])


def run_jobs(policy: Policy, secrets: Sequence[str]) -> tuple[ApplyJob, ...]:
    """Return a job for each target whose environment a bot with a server hands over (`runner = "actions"`)."""
    return _jobs(policy, secrets, [one for one in _lasting(policy) if one[1].runner])


def _lasting(policy: Policy) -> list[tuple[Stack, Environment]]:
    return [
        (stack, env)
        for layer in policy.order(policy.stacks)
        for stack in (policy.stacks[name] for name in layer)
        for env in policy.environments_of(stack)
        if not env.instance
    ]


def _jobs(
    policy: Policy, secrets: Sequence[str], targets: Sequence[tuple[Stack, Environment]]
) -> tuple[ApplyJob, ...]:
    known = {_job_id(stack, env.name) for stack, env in targets}
    jobs = []
    for stack, env in targets:
        before = [_job_id(stack, env.promote_from)] if env.promote_from else []
        upstream = policy.upstream(Target("", stack.name, env.name))
        before += [_job_id(policy.stacks[one.stack], env.name) for one in upstream]
        own = [name for name in secrets if name.startswith(_SETTINGS) or _is_of(policy, name, env.name)]
        jobs.append(
            ApplyJob(
                _job_id(stack, env.name),
                env.name if stack.name == DEFAULT_STACK else f"{env.name}/{stack.name}",
                env.name,
                stack.name,
                tuple(one for one in before if one in known),
                bool(env.identity),
                tuple(own),
                tuple(name for name in own if not _is_of(policy, name, env.name, "APPLY_")),
            )
        )
    return tuple(jobs)


def unused_secrets(policy: Policy, secrets: Sequence[str]) -> list[str]:
    """Return the names that begin with no environment's prefix, and would reach no job."""
    return [
        name
        for name in secrets
        if not name.startswith(_SETTINGS)
        and not any(_is_of(policy, name, env) for env in policy.environments)
    ]


def _planned(policy: Policy, stack: Stack) -> list[Environment]:
    return [env for env in policy.environments_of(stack) if env.on_pull_request]


def _is_of(policy: Policy, name: str, environment: str, phase: str = "") -> bool:
    return name.startswith(policy.secrets_prefix(environment) + phase)


def _job_id(stack: Stack, environment: str) -> str:
    """GitHub: letters, digits, `-` and `_`, beginning with a letter or `_`."""
    name = environment if stack.name == DEFAULT_STACK else f"{environment}-{stack.name}"
    return _UNSAFE.sub("_", name)
