"""The commit that `/apply` and `/approve` may name."""

from __future__ import annotations

import re
from collections.abc import Collection

_COMMIT = re.compile(r"[0-9a-f]{7,64}", re.IGNORECASE | re.ASCII)
"""Git shows seven digits of a commit; fewer could mean several."""


def is_commit(word: str, stacks: Collection[str]) -> bool:
    """Whether a word of a command is a commit. A stack of that name comes first."""
    return word not in stacks and _COMMIT.fullmatch(word) is not None
