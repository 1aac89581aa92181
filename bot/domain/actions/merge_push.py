"""A push to the default branch whose reviewed plans are applied."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class MergePush:
    """before, after: the branch's commits before and after the push."""

    before: str
    after: str
