"""The data of exports: read and mask it, store it, load it next to a database, and swap.

Start at `exporter` (the port) and `worker` (the process that carries out the steps)."""

from bot.exports.exporter import SandboxedExporter
from bot.exports.files import Location
from bot.exports.postgres_tools import WHEELS, directories_of_wheel
from bot.exports.source import inspect
from bot.exports.target import mark

__all__ = ["WHEELS", "Location", "SandboxedExporter", "directories_of_wheel", "inspect", "mark"]
