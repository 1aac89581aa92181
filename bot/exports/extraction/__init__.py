"""Read the selected rows, mask them, and write them as files.

Start at `extract`; `rows` masks, `parts` writes."""

from bot.exports.extraction.extract import extract

__all__ = ["extract"]
