"""Outputs of one stack that are inputs of another: which values a plan gets, and whether they have changed since."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from bot.domain.order.inputs import Input
from bot.domain.refusal import Refusal
from bot.domain.run import InputValue
from bot.domain.states import Output, Outputs, outputs_of
from bot.domain.target import Target, command

LARGEST = 64 * 1024
"""Characters of all values of one plan, as JSON. They are stored with the plan."""
NOT_GIVEN = "no-input"
"""The refusal's code where an input has no value that may be passed on."""


@dataclass(frozen=True)
class Source:
    """Where an input comes from. outputs: of the target's recorded state; None if they cannot be read. version: id of that
    state, "" if nothing was applied there yet."""

    input: Input
    target: Target
    outputs: Outputs | None
    version: str = ""


def given_inputs(target: Target, sources: Iterable[Source], secrets_prefix: str) -> dict[str, InputValue]:
    """Return variable → value for a plan of `target`. secrets_prefix: see bot.domain.policy. Raises Refusal, which names
    what is missing and the next command."""
    given = {one.input.variable: _given(target, one, secrets_prefix) for one in sources}
    if len(json.dumps([one["value"] for one in given.values()])) > LARGEST:
        fact = f"The inputs of {target} are larger than {LARGEST // 1024} KB."
        raise Refusal(NOT_GIVEN, fact, "Pass smaller outputs, such as ids.")
    return given


def _given(target: Target, source: Source, secrets_prefix: str) -> InputValue:
    one, where = source.input, source.target
    what = f"{target} needs the output `{one.output}` of {where} as `{one.variable}`"
    if source.outputs is None:
        fact = f"{what}, but the outputs of {where} cannot be read: its state is encrypted by OpenTofu, or damaged."
        raise Refusal(NOT_GIVEN, fact, f"Remove `{one.variable}` from `inputs` of stack `{target.stack}`.")
    then = f"{target} is then planned automatically."
    if not source.version:
        fact = f"{what}, but nothing was applied to {where} yet."
        raise Refusal(NOT_GIVEN, fact, f"Run `{command('apply', where)}`; {then}")
    output = source.outputs.get(one.output)
    if output is None:
        raise Refusal(
            NOT_GIVEN,
            f"{what}, but {where} has no such output, or it is null.",
            f"Add it to stack `{one.stack}`, then run `{command('plan', where)}` and `{command('apply', where)}`; {then}",
        )
    if output.sensitive:
        raise Refusal(
            NOT_GIVEN,
            f"{what}, but that output is sensitive, and inputs are not secret.",
            f"Set the secret `{secrets_prefix}TF_VAR_{one.variable}` instead, and remove `{one.variable}` from `inputs` of "
            f"stack `{target.stack}`.",
        )
    return {"stack": one.stack, "output": one.output, "value": output.value, "version": source.version}


def changed_inputs(given: Mapping[str, InputValue], now: Mapping[str, Outputs | None]) -> tuple[str, ...]:
    """Return the names (`network.vpc_id`) of a plan's inputs that have another value by now, or none.

    now: stack → its outputs, of the stacks whose states have changed since.
    """
    changed = set()
    for one in given.values():
        if one["stack"] not in now:
            continue
        output = (now[one["stack"]] or {}).get(one["output"])
        if output is None or output.sensitive or _text(output.value) != _text(one["value"]):
            changed.add(f"{one['stack']}.{one['output']}")
    return tuple(sorted(changed))


def _text(value: object) -> str:
    """As JSON: in Python 1 is True."""
    return json.dumps(value, sort_keys=True)


def shared_outputs(state: bytes | None) -> Outputs | None:
    """Return the outputs in a state, without the values of sensitive ones, which no other stack gets; None if OpenTofu has
    encrypted it."""
    outputs = outputs_of(state)
    if outputs is None:
        return None
    return {name: Output(None, sensitive=True) if one.sensitive else one for name, one in outputs.items()}
