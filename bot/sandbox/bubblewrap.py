"""The command line of bubblewrap: the same view of the files, made with user and mount namespaces."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

_OPTIONS = (
    *("--unshare-user-try", "--unshare-pid", "--unshare-ipc", "--unshare-uts", "--unshare-cgroup-try"),
    # As process 1, so that what it leaves behind ends with it, and a signal reaches it rather than an init.
    *("--die-with-parent", "--as-pid-1", "--proc", "/proc", "--dev", "/dev"),
)


def command_line(
    bwrap: str, argv: Sequence[str], readable: Sequence[str], writable: Sequence[str], cwd: Path
) -> tuple[str, ...]:
    """Return the command line that runs `argv` with these paths only. Paths that do not exist are left out.

    bwrap: the path of its program.
    """
    # Parents first, since a later mount hides what an earlier one shows below it.
    paths = dict.fromkeys(readable, "--ro-bind-try") | dict.fromkeys(writable, "--bind-try")
    mounts = [word for path in sorted(paths) if _mounted(path) for word in (paths[path], path, path)]
    return (bwrap, *_OPTIONS, *mounts, "--chdir", str(cwd), "--", *argv)


def _mounted(path: str) -> bool:
    """Whether it is mounted from outside: bubblewrap has a /proc and a /dev of its own."""
    return not any(Path(path).is_relative_to(own) for own in ("/proc", "/dev"))
