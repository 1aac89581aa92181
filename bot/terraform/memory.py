"""How much memory Terraform's garbage collector may use up before it works.

Go collects whenever the heap has doubled, which for the short life of a plan is a twentieth of its time. With room for it
the heap may grow fivefold first, and up to a soft limit: near that one Go collects as often as it must
(https://go.dev/doc/gc-guide, "GOGC" and "Memory limit").
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

GROWTH = 400
"""Percent by which the heap may grow between two collections; Go's own is 100."""
LEAST = 512 << 20
"""Bytes below which Go's own pace stays: what lives in a large provider comes near it, and a limit below what lives
would make Go collect without end."""
_CGROUPS = (Path("/sys/fs/cgroup/memory.max"), Path("/sys/fs/cgroup/memory/memory.limit_in_bytes"))
"""A container's limit, by cgroup v2 and v1 (kernel.org, admin-guide/cgroup-v2.rst)."""


def pace(total: int, slots: int) -> dict[str, str]:
    """Variables for Terraform and its providers, `slots` Terraforms at once on `total` bytes: half of each one's share
    is for its largest process. Empty where that is too little."""
    share = total // slots // 2
    return {"GOGC": str(GROWTH), "GOMEMLIMIT": f"{share >> 20}MiB"} if share >= LEAST else {}


def total(cgroups: Sequence[Path] = _CGROUPS) -> int:
    """Bytes of memory that this process and its children have: the machine's, or the container's where that is less."""
    found = [os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")]
    for path in cgroups:
        with suppress(OSError, ValueError):  # `max` is no number: no limit
            found.append(int(path.read_text()))
    return min(found)
