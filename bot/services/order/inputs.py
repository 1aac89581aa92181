"""Inputs of a stack: outputs in the recorded states of the stacks that it comes after."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import replace
from pathlib import Path

from bot.domain.order import Source, changed_inputs, given_inputs, shared_outputs
from bot.domain.policy import Policy
from bot.domain.ports.store import Tables
from bot.domain.run import InputValue, Plan
from bot.domain.states import Outputs, StateDamaged, StateVersion
from bot.domain.target import Target
from bot.services.context import Context

FILE = "inputs.tfvars.json"
"""Name of the var file, in the run's private directory."""


def inputs_for(context: Context, policy: Policy, target: Target) -> dict[str, InputValue]:
    """Return variable → value for a plan of `target`, as the policy says. Raises Refusal if one has no value, or may not be
    passed on."""
    inputs = policy.stacks[target.stack].inputs
    if not inputs:
        return {}
    where = {one.stack: replace(target, stack=one.stack) for one in inputs}
    with context.store.read() as tables:
        versions = tables.states.newest_of(one.key for one in where.values())
        outputs = {
            name: _outputs(context, tables, versions[one.key]) if one.key in versions else {}
            for name, one in where.items()
        }
    sources = [
        Source(one, where[one.stack], outputs[one.stack], versions[key].id if key in versions else "")
        for one in inputs
        if (key := where[one.stack].key)
    ]
    return given_inputs(target, sources, policy.secrets_prefix(target.environment))


def outdated_inputs(
    context: Context, tables: Tables, plans: Iterable[Plan]
) -> Mapping[Target, tuple[str, ...]]:
    """Return target → the inputs of its plan that have another value by now (`network.vpc_id`), for those that have some.
    States are read only where they have changed since the plan."""
    made = [plan for plan in plans if plan.inputs]
    if not made:
        return {}
    keys = {replace(plan.target, stack=one["stack"]).key for plan in made for one in plan.inputs.values()}
    versions = tables.states.newest_of(keys)
    found = {plan.target: changed_inputs(plan.inputs, _now(context, tables, plan, versions)) for plan in made}
    return {target: names for target, names in found.items() if names}


def _now(
    context: Context, tables: Tables, plan: Plan, versions: Mapping[str, StateVersion]
) -> dict[str, Outputs | None]:
    """Return stack → its outputs, for those whose state is another one than when the plan was made."""
    now: dict[str, Outputs | None] = {}
    for one in plan.inputs.values():
        version = versions.get(replace(plan.target, stack=one["stack"]).key)
        if version is None:
            now[one["stack"]] = {}
        elif version.id != one["version"]:
            now[one["stack"]] = _outputs(context, tables, version)
    return now


def _outputs(context: Context, tables: Tables, version: StateVersion) -> Outputs | None:
    """Return the outputs of a recorded state; None if they cannot be read."""

    def read() -> Outputs | None:
        try:
            return shared_outputs(tables.states.data(version.id))
        except StateDamaged:  # whoever reads that state is told, and a status of another stack must not fail
            return None

    return context.caches.outputs.get(version.id, read)


def write_inputs(directory: Path, inputs: Mapping[str, InputValue]) -> tuple[Path, ...]:
    """Write a var file with the inputs; return its path, or nothing if there are none. It is the last of the var files, so
    that it wins. In such a JSON file Terraform takes strings as they are."""
    if not inputs:
        return ()
    file = directory / FILE
    file.write_text(json.dumps({name: one["value"] for name, one in inputs.items()}))
    file.chmod(0o600)
    return (file,)
