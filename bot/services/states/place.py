"""Look up where a target's state is and which version is there now, also for a local environment."""

from __future__ import annotations

from dataclasses import dataclass

from bot.domain.policy import Policy
from bot.domain.ports.terraform import Backend
from bot.domain.refusal import Refusal
from bot.domain.states import StateInfo, StatePlace, place_of
from bot.domain.target import Target
from bot.services.context import Context
from bot.services.states.backend_changes import block_of
from bot.services.targets import tip_of


@dataclass(frozen=True)
class PlacedState:
    """A target's state: where it is, and what it says about itself; None if there is none."""

    target: Target
    place: StatePlace
    info: StateInfo | None


def placed_state(context: Context, target: Target, policy: Policy) -> PlacedState:
    """Read the state where the policy says that it is, or the default branch's `backend` block where the policy says
    nothing. Raises Refusal if it cannot be read as a state, UserError if no bucket is set or access is denied."""
    stack = policy.stacks[target.stack]
    declared: str = stack.backend.kind
    if not declared:
        tip = tip_of(context, target.repository, context.known(target.repository).default_branch, 60.0)
        block = block_of(context, target.repository, tip, stack)
        declared = block[0] if block else ""
    found = context.backends.backend(target, policy, declared, ("", ""))
    backend = Backend(found.kind, found.config)
    data = context.backends.current(target, backend)
    try:
        info = StateInfo.parse(data) if data else None
    except ValueError as error:
        raise Refusal(
            "unreadable",
            f"The state of {target} cannot be read: {error}.",
            "Run `towpath state verify` on the server.",
        ) from error
    return PlacedState(target, place_of(target, backend.kind, backend.config), info)
