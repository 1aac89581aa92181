"""Failures on order."""

from __future__ import annotations

import re
import threading
from dataclasses import dataclass


@dataclass
class Fault:
    """method: a regular expression for the whole method's name; `times` counts down to 0.

    outcome: an HTTP status (429 with Retry-After of `seconds`), `timeout` (nothing is done and nothing answered for
    `seconds`), or `drop_response` (the call is done, and its answer cut off).
    """

    method: str
    outcome: int | str
    times: int = 1
    seconds: float = 30.0


class Faults:
    """The failures that are still to come; the first that fits is taken."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._waiting: list[Fault] = []
        self.ended = threading.Event()
        """Set when the stand-in stops: a call that keeps its caller waiting ends then."""

    def inject(self, method: str, outcome: int | str, *, times: int = 1, seconds: float = 30.0) -> None:
        """See Fault. Raises ValueError for an outcome that does not exist."""
        if isinstance(outcome, str) and outcome not in ("timeout", "drop_response"):
            raise ValueError(f"no such fault: {outcome}")
        with self._lock:
            self._waiting.append(Fault(method, outcome, times, seconds))

    def clear(self) -> None:
        with self._lock:
            self._waiting.clear()

    def take(self, method: str) -> Fault | None:
        with self._lock:
            for fault in self._waiting:
                if re.fullmatch(fault.method, method):
                    fault.times -= 1
                    if fault.times <= 0:
                        self._waiting.remove(fault)
                    return fault
        return None
