"""Tune Go's garbage collector in Terraform and its providers to the machine's memory.

By default Go collects whenever the heap has doubled, which takes a twentieth of a short plan's time. Where memory
allows, the heap may grow fivefold first, up to a soft limit near which Go collects as often as it needs
(https://go.dev/doc/gc-guide, "GOGC" and "Memory limit").
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

GROWTH = 400
"""Percent by which the heap may grow between two collections (GOGC); Go's default is 100."""
MINIMUM_LIMIT = 512 << 20
"""Bytes below which Go's defaults stay: a large provider's live heap comes near it, and with a limit below the live
heap Go would collect all the time."""
_CGROUP_LIMITS = (Path("/sys/fs/cgroup/memory.max"), Path("/sys/fs/cgroup/memory/memory.limit_in_bytes"))
"""A container's limit, in cgroup v2 and v1 (kernel.org, admin-guide/cgroup-v2.rst)."""


def gc_variables(memory: int, slots: int) -> dict[str, str]:
    """Return GOGC and GOMEMLIMIT for each of `slots` concurrent Terraforms on `memory` bytes.

    Half of each one's share is for its largest process. Empty if that is below MINIMUM_LIMIT.
    """
    limit = memory // slots // 2
    return {"GOGC": str(GROWTH), "GOMEMLIMIT": f"{limit >> 20}MiB"} if limit >= MINIMUM_LIMIT else {}


def available_memory(cgroup_limits: Sequence[Path] = _CGROUP_LIMITS) -> int:
    """Return the bytes of memory available to this process: the machine's, or the container's limit if lower."""
    limits = [os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")]
    for path in cgroup_limits:
        with suppress(OSError, ValueError):  # the file reads `max` where there is no limit
            limits.append(int(path.read_text()))
    return min(limits)
