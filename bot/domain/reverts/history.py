"""The releases that a revert without a name can return to."""

from __future__ import annotations

from collections.abc import Sequence

from bot.domain.release import Release


def undo_history(releases: Sequence[Release]) -> list[Release]:
    """Return what was deployed, newest first, without what has been reverted since.

    releases: all known ones, newest first. A revert stands for the release that it returned to, so the next one is what
    was deployed before that: undoing twice goes further back, and never forward to what was taken out.
    """
    places = {one.id: place for place, one in enumerate(releases)}
    history, place = list[Release](), 0
    while place < len(releases):
        history.append(releases[place])
        while place < len(releases) and releases[place].reverts:
            place = max(places.get(releases[place].reverts, len(releases)), place + 1)
        place += 1
    return history
