"""Start and stop the dependencies of a local environment: processes, containers, services from Python wheels."""

from bot.dev.containers import ContainerEngine, find_engine
from bot.dev.launcher import LocalLauncher

__all__ = ["ContainerEngine", "LocalLauncher", "find_engine"]
