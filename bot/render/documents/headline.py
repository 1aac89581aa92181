"""A pull request's environments in one plain sentence, what matters most first."""

from __future__ import annotations

from bot.domain.results import Status
from bot.render.document import Bold, Plain, Spans, Tone
from bot.render.standing import Standing, goes_back, standing
from bot.render.words import named

_ORDER: tuple[Standing, ...] = (
    "running",
    "failed",
    "ready",
    "waiting",
    "locked",
    "stale",
    "unplanned",
    "applied",
    "reverted",
    "unchanged",
    "idle",
    "over",
)
_SAID: dict[Standing, tuple[str, str]] = {
    "running": ("is at work", "are at work"),
    "failed": ("failed", "failed"),
    "ready": ("is ready to apply", "are ready to apply"),
    "waiting": ("may not be applied yet", "may not be applied yet"),
    "locked": ("waits for its lock", "wait for their locks"),
    "stale": ("needs a new plan", "need a new plan"),
    "unplanned": ("is not planned yet", "are not planned yet"),
    "applied": ("is applied", "are applied"),
    "reverted": ("is reverted", "are reverted"),
    "unchanged": ("has no changes", "have no changes"),
    "idle": ("is idle", "are idle"),
    "over": ("was not applied", "were not applied"),
}
_BACK: dict[Standing, tuple[str, str]] = {
    "failed": ("failed to be reverted", "failed to be reverted"),
    "ready": ("is ready to revert", "are ready to revert"),
    "waiting": ("may not be reverted yet", "may not be reverted yet"),
    "stale": ("needs a new plan to revert", "need a new plan to revert"),
    "unchanged": ("has nothing to revert", "have nothing to revert"),
    "over": ("was not reverted", "were not reverted"),
}
"""What is said of a revert's plan instead."""
_TONES: dict[Standing, Tone] = {"failed": "bad", "ready": "good", "applied": "good", "unchanged": "good"}


def headline(status: Status) -> tuple[Spans, str, Tone]:
    """The sentence as spans, as plain text, and its tone: `**Staging is ready to apply** · prod waits for its lock`."""
    groups: list[tuple[Standing, str]] = []
    for wanted in _ORDER:
        rows = [row for row in status.targets if standing(row) == wanted]
        for back in (False, True):
            names = [str(row.target) for row in rows if (wanted in _BACK and goes_back(row)) == back]
            said = _BACK[wanted] if back and names else _SAID[wanted]
            if names:
                groups.append((wanted, f"{named(names)} {said[len(names) > 1]}"))
    if not groups:
        text = "No environment is concerned"
        return (Bold(text),), text, "plain"
    first = groups[0][1][0].upper() + groups[0][1][1:]
    others = "".join(f" · {said}" for _, said in groups[1:4])
    return (Bold(first), Plain(others)), first + others, _TONES.get(groups[0][0], "plain")
