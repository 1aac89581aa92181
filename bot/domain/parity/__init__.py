"""Parity: whether environments that must be alike are alike, and how they differ.

Start at `model`; `compare` compares the profiles of environments."""

from bot.domain.parity.compare import compare_profiles, unused_declarations
from bot.domain.parity.model import Comparison, Difference, Parity, Profile, Side, Trait, Unused, joined
from bot.domain.parity.policy_settings import policy_traits
from bot.domain.parity.resources import resource_traits

__all__ = [
    "Comparison",
    "Difference",
    "Parity",
    "Profile",
    "Side",
    "Trait",
    "Unused",
    "compare_profiles",
    "joined",
    "policy_traits",
    "resource_traits",
    "unused_declarations",
]
