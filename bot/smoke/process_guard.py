"""Run a command confined, and kill whatever it leaves behind: `process_guard.py <directory> <access> <program> <words…>`.

directory: where landlock.py is. access: JSON, [readable paths, writable paths] or null, see bot.sandbox. It leads a process group of its own, and exits with the command's exit code (128 plus the signal that killed it; 127 if
there is no such program). At the end of its standard input, when its parent is gone, it kills the whole group.
"""

import _thread
import json
import os
import signal
import sys

NOT_FOUND = 127
"""The exit code that shells use."""


def _kill_at_end_of_input() -> None:
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
    _thread.start_new_thread(_kill_at_end_of_input, ())
    code = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    return code if code >= 0 else 128 - code


def confine(directory: str, access: str) -> None:
    if rules := json.loads(access):
        sys.path.append(directory)
        import landlock  # type: ignore[import-not-found]  # found by its directory: without a package it starts fast

        landlock.confine(*rules)


if __name__ == "__main__":
    confine(*sys.argv[1:3])
    os._exit(main(sys.argv[3:]))
