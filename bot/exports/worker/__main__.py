"""`python -m bot.exports.worker`: read one order from standard input, carry it out confined, and report on standard output."""

from __future__ import annotations

import os
import resource
import sys
import threading
import traceback
from typing import BinaryIO

from bot.domain.exports import ExportPhase, Progress
from bot.domain.ports.exports import Cancelled, ExportControl
from bot.errors import TransientError, UserError
from bot.exports.worker.messages import MESSAGES, RESULTS, Advanced, Ended, Order, Returned, read_order
from bot.sandbox import landlock

Report = Advanced | Returned | Ended

BROKEN = 70
"""Exit code when the bot is gone, from sysexits.h (EX_SOFTWARE)."""


class _Reports:
    """Messages to the bot, a line each, from any thread."""

    def __init__(self) -> None:
        # What libraries print goes to the log, not in between.
        self._pipe = os.fdopen(os.dup(1), "wb")
        os.dup2(2, 1)
        self._turn = threading.Lock()

    def send(self, message: Report) -> None:
        with self._turn:
            self._pipe.write(MESSAGES.dump_json(message) + b"\n")
            self._pipe.flush()

    def advanced(self, phase: ExportPhase, progress: Progress) -> None:
        self.send(Advanced(phase, progress))


def _watch(pipe: BinaryIO, cancelled: threading.Event) -> None:
    """Note a cancel. When the bot is gone, end at once: the databases roll back what is not committed."""
    while pipe.read(1):
        cancelled.set()
    os._exit(BROKEN)


def _carry_out(order: Order, reports: _Reports, cancelled: threading.Event) -> Report:
    try:
        if order.confinement is not None:
            to = order.confinement
            landlock.confine(list(to.readable), list(to.writable), list(to.ports))
        from bot.exports.worker.steps import STEPS

        value = STEPS[order.step](order, ExportControl(reports.advanced, cancelled.is_set))
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
        return Returned(RESULTS[order.step].dump_python(value, mode="json"), peak)
    except UserError as error:
        return Ended("refused", error.what, error.next_step)
    except TransientError as error:
        return Ended("unavailable", str(error), retry_after=error.retry_after)
    except Cancelled:
        return Ended("cancelled")
    except Exception:
        return Ended("failed", traceback.format_exc())


def main() -> None:
    reports, cancelled = _Reports(), threading.Event()
    order = read_order(sys.stdin.buffer)
    threading.Thread(target=_watch, args=(sys.stdin.buffer, cancelled), daemon=True).start()
    reports.send(_carry_out(order, reports, cancelled))
    os._exit(0)


if __name__ == "__main__":
    main()
