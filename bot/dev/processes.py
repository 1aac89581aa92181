"""Processes in sessions of their own, which outlive the command that started them."""

from __future__ import annotations

import os
import signal
import subprocess
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

PATIENCE = 10.0
"""Seconds that a dependency gets to end by itself."""
_PROC = Path("/proc")


@dataclass(frozen=True)
class Seen:
    """A process of this machine. born: when it began, as the system tells it; the same again only for the same process."""

    pid: int
    group: int
    born: str


def start(argv: Sequence[str], cwd: Path, env: Mapping[str, str], log: Path) -> tuple[int, str]:
    """Start a process whose output goes to `log`; return its pid and when it began. Raises OSError."""
    with log.open("ab") as output:
        process = subprocess.Popen(
            argv,
            cwd=cwd,
            env=dict(env),
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
    process.returncode = 0  # it is meant to outlive this process; nobody here waits for it
    found = next((one for one in everything(process.pid) if one.pid == process.pid), None)
    return process.pid, found.born if found else ""


def is_alive(pid: int, born: str) -> bool:
    """Whether the process runs that began then."""
    return any(one.pid == pid and one.born == born for one in everything(pid))


def stop(pid: int, born: str, patience: float = PATIENCE) -> bool | None:
    """End a process and the rest of its group: SIGTERM, after `patience` seconds SIGKILL.

    Returns whether it ended when asked to; None if there was nothing to end. Nothing is killed if the pid now belongs to
    another process: a number is not used again while a group of it exists.
    """
    if not _group(pid, born):
        return None
    with suppress(ProcessLookupError):
        os.killpg(pid, signal.SIGTERM)
    until = time.monotonic() + patience
    while _group(pid, born):
        if time.monotonic() > until:
            with suppress(ProcessLookupError):
                os.killpg(pid, signal.SIGKILL)
            while _group(pid, born):
                time.sleep(0.02)
            return False
        _reap(pid)
        time.sleep(0.05)
    return True


def _group(pid: int, born: str) -> list[Seen]:
    """Return what is left of the group that the process was the first of; nothing if its pid is another's now."""
    _reap(pid)
    members = [one for one in everything() if one.group == pid]
    if any(one.pid == pid and one.born != born for one in members):
        return []
    return members


def _reap(pid: int) -> None:
    """If it is a child of ours that ended, let it go."""
    with suppress(ChildProcessError):
        os.waitpid(pid, os.WNOHANG)


def everything(pid: int = 0) -> Iterator[Seen]:
    """Yield this machine's processes, or only the one with this pid; those that ended and were not reaped are left out."""
    if not (_PROC / "self" / "stat").exists():
        yield from _by_ps(pid)
        return
    boot = (_PROC / "sys/kernel/random/boot_id").read_text()[:8]
    names = [str(pid)] if pid else [entry.name for entry in _PROC.iterdir() if entry.name.isdecimal()]
    for name in names:
        with suppress(OSError):
            # The second field, the program's name in brackets, may have anything in it.
            fields = (_PROC / name / "stat").read_text(errors="replace").rpartition(")")[2].split()
            if fields[0] not in "ZX":
                yield Seen(int(name), int(fields[2]), f"{boot}-{fields[19]}")


def _by_ps(pid: int) -> Iterator[Seen]:
    """The same where there is no /proc, as on macOS."""
    which = ["-p", str(pid)] if pid else ["-A"]
    words = ["ps", *which, "-o", "pid=,pgid=,stat=,lstart="]
    listing = subprocess.run(
        words, capture_output=True, text=True, check=False, env={"PATH": os.defpath, "LC_ALL": "C"}
    )
    for line in listing.stdout.splitlines():
        number, group, state, born = line.split(maxsplit=3)
        if not state.startswith("Z"):
            yield Seen(int(number), int(group), born)
