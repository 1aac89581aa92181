"""The sandbox for Terraform, its providers and smoke commands: what a process may read, write and run."""

from bot.sandbox import landlock
from bot.sandbox.sandbox import Access, Confined, Kind, Sandbox, open_sandbox

__all__ = ["Access", "Confined", "Kind", "Sandbox", "landlock", "open_sandbox"]
