"""Confine this process and all that it starts to a list of paths, with the kernel's Landlock.

Imports only what a process of milliseconds can afford: Terraform's supervisor and the guard of smoke commands load this
file by its directory. See landlock(7) for the calls, linux/landlock.h for the numbers.
"""

from __future__ import annotations

import ctypes
import os
import stat
import sys

_CREATE_RULESET, _ADD_RULE, _RESTRICT_SELF = 444, 445, 446
"""System calls; the same number on every architecture."""
_VERSION = 1
"""Flag of landlock_create_ruleset: return the ABI."""
_PATH_BENEATH, _NET_PORT = 1, 2
_NO_NEW_PRIVS = 38
"""From linux/prctl.h."""

_EXECUTE, _WRITE_FILE, _READ_FILE, _READ_DIR = 1 << 0, 1 << 1, 1 << 2, 1 << 3
_TRUNCATE, _IOCTL_DEV = 1 << 14, 1 << 15
_OF_FILES = _EXECUTE | _WRITE_FILE | _READ_FILE | _TRUNCATE | _IOCTL_DEV
"""The rights that a rule for a single file may hold."""
_READING = _EXECUTE | _READ_FILE | _READ_DIR
_RIGHTS = {1: (1 << 13) - 1, 2: (1 << 14) - 1, 3: (1 << 15) - 1, 5: (1 << 16) - 1}
"""ABI that brought new rights over files → all of them: moving between directories with 2, truncating with 3, device
ioctls with 5."""
_BIND_TCP, _CONNECT_TCP = 1 << 0, 1 << 1
"""The rights to bind a TCP port, and to connect to one (ABI 4). Landlock knows ports, no addresses."""
_SCOPES = 3
"""Abstract Unix sockets and signals: only those of processes in the same sandbox (ABI 6)."""

_LIBC = ctypes.CDLL(None, use_errno=True)


class _Ruleset(ctypes.Structure):
    _fields_ = (("files", ctypes.c_uint64), ("net", ctypes.c_uint64), ("scoped", ctypes.c_uint64))


class _PathBeneath(ctypes.Structure):
    _pack_ = 1
    _fields_ = (("allowed", ctypes.c_uint64), ("parent", ctypes.c_int32))


class _NetPort(ctypes.Structure):
    _fields_ = (("allowed", ctypes.c_uint64), ("port", ctypes.c_uint64))


def abi() -> int:
    """Return the version of the kernel's Landlock; 0 if it has none, or a container forbids the call."""
    if sys.platform != "linux":
        return 0
    try:
        return max(
            0, int(_LIBC.syscall(_CREATE_RULESET, None, ctypes.c_size_t(0), ctypes.c_uint32(_VERSION)))
        )
    except (AttributeError, OSError):
        return 0


def confine(readable: list[str], writable: list[str], connect: list[int] | None = None) -> None:
    """Confine this process for good: it can read and run what is below `readable`, and do anything below `writable`.

    connect: the TCP ports that it may connect to, None for any. Paths that do not exist are left out. From ABI 4 it can
    bind no TCP port but one that the kernel chooses, so that it cannot take the bot's, and `connect` counts; from ABI 6 it
    can signal only processes in the same sandbox. Raises OSError.
    """
    version = abi()
    if not version:
        raise OSError("the kernel has no Landlock")
    handled = max(rights for since, rights in _RIGHTS.items() if since <= version)
    net = _BIND_TCP | (_CONNECT_TCP if connect is not None else 0)
    ruleset = _Ruleset(handled, net if version >= 4 else 0, _SCOPES if version >= 6 else 0)
    size = 24 if version >= 6 else 16 if version >= 4 else 8
    rules = _call(_CREATE_RULESET, ctypes.byref(ruleset), ctypes.c_size_t(size), ctypes.c_uint32(0))
    try:
        for path in readable:
            _allow(rules, path, handled & _READING)
        for path in writable:
            _allow(rules, path, handled)
        if version >= 4:
            _add(rules, _NET_PORT, _NetPort(_BIND_TCP, 0))
            for port in connect or ():
                _add(rules, _NET_PORT, _NetPort(_CONNECT_TCP, port))
        if _LIBC.prctl(_NO_NEW_PRIVS, 1, 0, 0, 0):
            raise OSError(ctypes.get_errno(), "no_new_privs")
        _call(_RESTRICT_SELF, ctypes.c_int(rules), ctypes.c_uint32(0))
    finally:
        os.close(rules)


def _allow(rules: int, path: str, rights: int) -> None:
    try:
        parent = os.open(path, os.O_PATH | os.O_CLOEXEC)
    except OSError:
        return
    try:
        if not stat.S_ISDIR(os.fstat(parent).st_mode):
            rights &= _OF_FILES
        _add(rules, _PATH_BENEATH, _PathBeneath(rights, parent))
    finally:
        os.close(parent)


def _add(rules: int, kind: int, rule: ctypes.Structure) -> None:
    _call(_ADD_RULE, ctypes.c_int(rules), ctypes.c_int(kind), ctypes.byref(rule), ctypes.c_uint32(0))


def _call(number: int, *arguments: object) -> int:
    result = int(_LIBC.syscall(ctypes.c_long(number), *arguments))
    if result < 0:
        error = ctypes.get_errno()
        raise OSError(error, f"Landlock: {os.strerror(error)}")
    return result
