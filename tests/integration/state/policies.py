"""Policies with one stack `infra`."""

from __future__ import annotations

from typing import Any

from bot.domain.policy.model import BackendPolicy, Environment, Policy, Stack


def policy(**backend: Any) -> Policy:
    stack = Stack("infra", "infra", backend=BackendPolicy(**backend))
    environments = {name: Environment(name) for name in ("test", "staging", "prod")}
    return Policy(stacks={"infra": stack}, environments=environments)
