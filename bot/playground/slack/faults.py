"""Injected failures."""

from __future__ import annotations

import re
import threading
from dataclasses import dataclass


@dataclass
class Fault:
    """A failure of the next `times` calls. method: a regular expression for the full name of the method.

    outcome: an HTTP status (429 has a Retry-After of `seconds`), `timeout` (the call is neither processed nor answered
    for `seconds`), or `drop_response` (the call is processed, and its response truncated).
    """

    method: str
    outcome: int | str
    times: int = 1
    seconds: float = 30.0


class Faults:
    """Decides which calls fail. The first fault that matches applies."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._waiting: list[Fault] = []
        self.ended = threading.Event()
        """Set when the stand-in stops, which ends calls that time out."""

    def inject(self, method: str, outcome: int | str, *, times: int = 1, seconds: float = 30.0) -> None:
        """Add a Fault. Raises ValueError for an unknown outcome."""
        if isinstance(outcome, str) and outcome not in ("timeout", "drop_response"):
            raise ValueError(f"unknown outcome: {outcome}")
        with self._lock:
            self._waiting.append(Fault(method, outcome, times, seconds))

    def clear(self) -> None:
        """Remove all faults."""
        with self._lock:
            self._waiting.clear()

    def take(self, method: str) -> Fault | None:
        """Return the fault for this call, if any, and count it down."""
        with self._lock:
            for fault in self._waiting:
                if re.fullmatch(fault.method, method):
                    fault.times -= 1
                    if fault.times <= 0:
                        self._waiting.remove(fault)
                    return fault
        return None
