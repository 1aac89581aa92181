"""States: the built-in backend, s3 and R2, and the proof that a target's state is stored where it belongs."""

from bot.state.backend import Backend
from bot.state.backends import Backends

__all__ = ["Backend", "Backends"]
