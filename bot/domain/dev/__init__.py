"""The environment on a laptop: its dependencies, and how they are."""

from bot.domain.dev.dependency import Dependency, Health, Running, definition_digest

__all__ = ["Dependency", "Health", "Running", "definition_digest"]
