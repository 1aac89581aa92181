"""The order of stacks: who comes after whom, what a run that waits for others does next, and the outputs that stacks take
from each other.

Start at `layers` (the order) and `turn` (waiting runs); `outputs` has the values."""

from bot.domain.order.inputs import Input
from bot.domain.order.layers import cycle_in, in_layers, upstream_of
from bot.domain.order.outputs import Source, changed_inputs, given_inputs, shared_outputs
from bot.domain.order.turn import Turn, turn_of, why_not

__all__ = [
    "Input",
    "Source",
    "Turn",
    "changed_inputs",
    "cycle_in",
    "given_inputs",
    "in_layers",
    "shared_outputs",
    "turn_of",
    "upstream_of",
    "why_not",
]
