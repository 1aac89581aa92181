"""Load an export next to the live database, check it, and let it take the live one's name.

Start at `load` and `swap`; `marker` is what keeps other databases safe."""

from bot.exports.target.clean import clean
from bot.exports.target.instance import load_instance
from bot.exports.target.load import load
from bot.exports.target.marker import mark
from bot.exports.target.swap import roll_back, swap

__all__ = ["clean", "load", "load_instance", "mark", "roll_back", "swap"]
