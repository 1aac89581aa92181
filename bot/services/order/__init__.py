"""The order of stacks: the inputs that a plan gets from other stacks, and what an apply has to come after."""

from bot.services.order.inputs import inputs_for, outdated_inputs, write_inputs
from bot.services.order.upstream import upstream_applying, upstreams_of

__all__ = ["inputs_for", "outdated_inputs", "upstream_applying", "upstreams_of", "write_inputs"]
