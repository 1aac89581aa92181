"""Read the source of an export: one snapshot, its schema, the rows that the policy leads to."""

from bot.exports.source.closure import select_rows
from bot.exports.source.preview import preview, preview_of
from bot.exports.source.selection import SelectedTable, Selection
from bot.exports.source.session import Source, inspect, open_source

__all__ = [
    "SelectedTable",
    "Selection",
    "Source",
    "inspect",
    "open_source",
    "preview",
    "preview_of",
    "select_rows",
]
