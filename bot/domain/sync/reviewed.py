"""Whether a plan of the default branch makes the changes that people reviewed in pull requests, and no others."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable

from bot.domain.plans import OUTSIDE, PlanPage

Change = tuple[str, str, tuple[str, ...]]
"""One changed resource, or output: its group, its heading and the lines that say what changes, none of them left out."""


def changes_of(pages: Iterable[PlanPage]) -> frozenset[Change]:
    """Return what a plan would change, by its pages. What changed outside Terraform is no change that it makes."""
    return frozenset(
        (one.group, one.head, one.lines) for page in pages for one in page if one.group != OUTSIDE
    )


def changes_digest(changes: Iterable[Change]) -> str:
    """Return a digest that is equal for the same changes; "" for none."""
    listed = sorted(changes)
    return hashlib.sha256(json.dumps(listed).encode()).hexdigest() if listed else ""


def unreviewed_changes(
    planned: frozenset[Change], reviewed: Iterable[frozenset[Change]]
) -> frozenset[Change]:
    """Return the planned changes that are in none of the reviewed plans, line by line. Several pull requests that are
    merged together are applied together; a reviewed change that was made already is not planned any more."""
    return planned.difference(*reviewed)
