"""What every sandboxed process may read: programs, libraries, certificates, name resolution, and little of /proc."""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping
from pathlib import Path

from bot.domain.env_allowlist import CERTIFICATES

_SYSTEM = (
    *("/usr", "/bin", "/sbin", "/lib", "/lib32", "/lib64", "/libx32", "/nix/store"),
    *(
        "/etc/ssl",
        "/etc/pki",
        "/etc/ca-certificates",
        "/etc/alternatives",
        "/etc/gitconfig",
        "/etc/mime.types",
    ),
    *("/etc/ld.so.cache", "/etc/ld.so.conf", "/etc/ld.so.conf.d", "/etc/localtime", "/etc/timezone"),
    *("/etc/resolv.conf", "/etc/hosts", "/etc/host.conf", "/etc/nsswitch.conf", "/etc/gai.conf"),
    *("/etc/services", "/etc/protocols"),
    *("/dev/random", "/dev/urandom", "/dev/zero"),
    # What runtimes read at start. Everything else in /proc tells about other processes.
    *("/proc/cpuinfo", "/proc/filesystems", "/proc/loadavg", "/proc/meminfo", "/proc/stat", "/proc/version"),
    *("/proc/sys/crypto/fips_enabled", "/proc/sys/kernel/osrelease", "/proc/sys/kernel/cap_last_cap"),
    *("/proc/sys/net/core/somaxconn", "/proc/sys/vm/overcommit_memory"),
    *("/sys/devices/system/cpu", "/sys/kernel/mm/transparent_hugepage"),
)
WRITABLE = ("/dev/null", "/dev/full")
"""Devices that any process may write to."""


def system_paths(environment: Mapping[str, str]) -> tuple[str, ...]:
    """Return the readable paths: the system's, those of this Python and of the bot's own code, the directories of PATH,
    and the certificates that the environment names.

    A path of `environment` counts only if it is absolute and is not the root directory.
    """
    python = (sys.prefix, sys.base_prefix, str(Path(__file__).resolve().parents[1]))
    named = [
        *environment.get("PATH", "").split(os.pathsep),
        *(environment.get(name, "") for name in CERTIFICATES),
    ]
    found = [os.path.realpath(path) for path in named if path.startswith("/")]
    return tuple(dict.fromkeys([*_SYSTEM, *python, *(path for path in found if path != "/")]))
