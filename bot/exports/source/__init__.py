"""Read the source of an export: one snapshot, its schema, the rows that the policy leads to."""

from bot.exports.source.session import Source, inspect, open_source

__all__ = ["Source", "inspect", "open_source"]
