"""Read the outputs that stacks take from others: the database of a job knows no states."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from bot.domain.policy import Policy
from bot.domain.states import StateInfo
from bot.domain.target import Target
from bot.services.context import Context


def record_input_states(context: Context, policy: Policy, targets: Iterable[Target]) -> None:
    """Record the states, as they are now, of the stacks whose outputs these targets get as inputs. Raises UserError for one
    that is in no bucket, or cannot be read."""
    for source in dict.fromkeys(
        replace(target, stack=one.stack) for target in targets for one in policy.stacks[target.stack].inputs
    ):
        declared = "" if policy.stacks[source.stack].backend.kind else "s3"
        backend = context.backends.backend(source, policy, declared, ("", ""))
        if data := context.backends.current(source, backend):
            with context.store.begin() as tables:
                tables.states.append(source.key, data, StateInfo.parse(data), observed=True)
