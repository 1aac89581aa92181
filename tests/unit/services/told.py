"""What was posted to people."""

from __future__ import annotations

from typing import Any

from bot.domain.run import Origin


class Told:
    """The notices that were posted, with where."""

    def __init__(self) -> None:
        self.notices: list[tuple[str, Any]] = []

    def __call__(self, _tables: Any, origin: Origin, _repository: str, _pull: int, result: Any) -> None:
        self.notices.append((origin.delivery, result))
