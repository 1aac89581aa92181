"""Told to stop, a process stops, whichever of its threads the system has told."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

TOLD = """
import signal, threading
from bot.cli.up import wait
signal.alarm(30)
told = threading.Timer(0.2, lambda: signal.pthread_kill(threading.get_ident(), signal.SIG))
told.start()
wait()
print("stopped")
"""


@pytest.mark.parametrize("name", ["SIGINT", "SIGTERM"])
def test_a_signal_that_another_thread_got(name: str) -> None:
    """Without an answer the alarm ends it."""
    done = subprocess.run(
        [sys.executable, "-c", TOLD.replace("signal.SIG)", f"signal.{name})")],
        cwd=Path(__file__).parents[2],
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stdout) == (0, "stopped\n"), done.stderr
