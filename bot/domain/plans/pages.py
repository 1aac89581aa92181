"""All of a plan as text, in pages of limited size. Nothing is left out: what does not fit on one page is on the next."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass

from bot.domain.plans.resource_change import ResourceChange
from bot.domain.plans.summary import PlanSummary
from bot.errors import UserError

PAGE = 400_000
"""Characters of a page, about 5,000 lines."""
MOST_PAGES = 200
"""80 million characters. Nobody reviews more."""


@dataclass(frozen=True)
class PlanSection:
    """A resource and the lines that say what changes in it. group: its module and type, or what is listed."""

    group: str
    head: str
    lines: tuple[str, ...]


OUTSIDE = "Changed outside Terraform since the last apply"
"""The group of what a plan found changed, which is not what it changes."""

PlanPage = tuple[PlanSection, ...]


def plan_pages(summary: PlanSummary) -> Iterator[bytes]:
    """Yield the pages of a summary that is not abridged, each for `read_page`. Raises UserError for more than MOST_PAGES."""
    page: list[PlanSection] = []
    size = number = 0
    for section in _sections(summary):
        for part, length in _split(section):
            if page and size + length > PAGE:
                yield _written(page)
                page, size, number = [], 0, number + 1
            if number >= MOST_PAGES:
                raise UserError(
                    f"This plan's changes take more than {MOST_PAGES * PAGE // 1_000_000} million characters: too much "
                    "to review, so it cannot be applied.",
                    next_step="Split the change into several pull requests, and push.",
                )
            page.append(part)
            size += length
    if page:
        yield _written(page)


def read_page(content: bytes) -> PlanPage:
    return tuple(PlanSection(group, head, tuple(lines)) for group, head, lines in json.loads(content))


def _written(page: list[PlanSection]) -> bytes:
    return json.dumps([[one.group, one.head, one.lines] for one in page]).encode()


def _sections(summary: PlanSummary) -> Iterator[PlanSection]:
    for change in summary.changes:
        yield _resource(group_of(change), change)
    for output in summary.outputs:
        yield PlanSection("Outputs", "", output.lines)
    for change in summary.drift:
        yield _resource(OUTSIDE, change)


def _resource(group: str, change: ResourceChange) -> PlanSection:
    head, *lines = change.lines
    return PlanSection(group, head, tuple(lines))


def group_of(change: ResourceChange) -> str:
    """`module.network · aws_subnet`."""
    return f"{change.module} · {change.type}" if change.module else change.type


def _split(section: PlanSection) -> Iterator[tuple[PlanSection, int]]:
    """Yield parts of at most a page, and their lengths."""
    lines: list[str] = []
    size = len(section.head)
    for line in section.lines:
        if size + len(line) > PAGE:
            yield PlanSection(section.group, section.head, tuple(lines)), size
            lines, size = [], len(section.head)
        lines.append(line)
        size += len(line) + 1
    yield PlanSection(section.group, section.head, tuple(lines)), size
