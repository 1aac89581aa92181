"""The resources of an environment, counted by type."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

from bot.domain.parity.model import Trait
from bot.domain.states import objects


def resource_traits(state: bytes) -> Iterator[Trait]:
    """Yield how many managed resources of each type a state has, sorted by type. Raises UserError for a state that
    OpenTofu has encrypted, ValueError for one that cannot be read."""
    counts = Counter(address[-1].type for address in objects(state))
    for name, number in sorted(counts.items()):
        yield Trait(f"resource.{name}", str(number))
