"""Runs a command and sees to it that nothing of it is left: `guard.py <program> <words…>`.

It is the leader of a process group. It ends with the command's own exit code (128 and the signal where one killed it;
127 where there is no such program). When its standard input ends, since whoever started it is gone, the whole group is
killed.
"""

import _thread
import os
import signal
import sys

NOT_FOUND = 127
"""As shells have it."""


def _watch() -> None:
    while os.read(0, 1):
        pass
    os.killpg(0, signal.SIGKILL)


def main(words: "list[str]") -> int:
    try:
        child = os.posix_spawnp(
            words[0],
            words,
            os.environ,
            file_actions=[(os.POSIX_SPAWN_OPEN, 0, os.devnull, os.O_RDONLY, 0)],
            setsigdef=[signal.SIGPIPE],
        )
    except OSError as error:
        os.write(2, f"cannot start {words[0]}: {error.strerror}\n".encode())
        return NOT_FOUND
    _thread.start_new_thread(_watch, ())
    code = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    return code if code >= 0 else 128 - code


if __name__ == "__main__":
    os._exit(main(sys.argv[1:]))
