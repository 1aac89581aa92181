"""The files of exports: in a bucket or a directory, compressed and sealed, with a manifest that is written last.

Start at `sealed` (what the steps use) and `location` (where files are)."""

from bot.exports.files.location import Location
from bot.exports.files.sealed import Files, open_files
from bot.exports.files.stores import FileStore

__all__ = ["FileStore", "Files", "Location", "open_files"]
