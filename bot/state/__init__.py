"""States: the built-in backend, s3 and R2, and the proof that a target's state is its own."""

from bot.state.backend import Backend
from bot.state.places import Backends

__all__ = ["Backend", "Backends"]
