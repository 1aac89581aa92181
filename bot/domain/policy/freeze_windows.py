"""Freeze windows: when plans or applies of an environment are denied or allowed. A deny wins over an allow."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import takewhile
from typing import Literal
from zoneinfo import ZoneInfo

from cronsim import CronSim

Action = Literal["plan", "apply"]

MOST = 400
"""Windows followed in a row when each opens before the last one closes: more than a year of daily ones."""


@dataclass(frozen=True)
class Window:
    """A window that opens at each time of `cron` (five fields, in `zone`) and lasts for `length`.

    actions: what it denies or allows.
    """

    kind: Literal["deny", "allow"]
    cron: str
    length: timedelta
    zone: str = "UTC"
    reason: str = ""
    actions: tuple[Action, ...] = ("apply",)

    def around(self, now: datetime) -> tuple[datetime, datetime] | None:
        """Return (start, end) in UTC of the window that is open at `now`, or None. The end is not part of it.

        If several are open, it is the one that opened last and so closes last.
        """
        start = next((at for at in self._back(now) if at <= now), None)
        return (start, start + self.length) if start and now < start + self.length else None

    def next(self, now: datetime) -> tuple[datetime, datetime] | None:
        """Return (start, end) in UTC of the next window that opens after `now`, or None if there is none."""
        local = now.astimezone(ZoneInfo(self.zone))
        start = next((at for one in CronSim(self.cron, local) if (at := one.astimezone(UTC)) > now), None)
        if start is None:
            return None
        # CronSim going forwards skips times after a clock was put back by half an hour (Lord Howe Island).
        skipped = (at for at in self._back(start - timedelta(seconds=1)) if at < start)
        for at in takewhile(lambda at: at > now, skipped):
            start = at
        return start, start + self.length

    def _back(self, now: datetime) -> Iterator[datetime]:
        """Yield the openings from about `now` backwards. The first ones may be later than `now`.

        When an hour comes twice, CronSim takes it as the first. In the second, we start after it, or the openings in the
        first would be skipped.
        """
        local = (now.replace(microsecond=0) + timedelta(seconds=1)).astimezone(ZoneInfo(self.zone))
        for at in CronSim(self.cron, local + timedelta(hours=local.fold), reverse=True):
            yield at.astimezone(UTC)


@dataclass(frozen=True)
class Frozen:
    """A freeze. `until` is in UTC; None if no end is scheduled."""

    reason: str
    until: datetime | None

    @property
    def span(self) -> str:
        """How long it lasts, in words."""
        return f"until {self.until:%Y-%m-%d %H:%M} UTC" if self.until else "with no scheduled end"


def freeze_at(windows: Sequence[Window], action: Action, now: datetime) -> Frozen | None:
    """Return the freeze of `action` at `now`, or None. Windows that touch or overlap count as one."""
    denies, allows = _by_kind(windows, action)
    why = _closed(denies, allows, now)
    if why is None:
        return None
    at = now
    for _ in range(MOST):
        ends = _covered(denies, at)
        if ends is None or not allows or _open(allows, ends):
            return Frozen(why, ends)
        opens = [found[0] for window in allows if (found := window.next(ends))]
        if not opens:
            break
        at = min(opens)
    return Frozen(why, None)


def next_freeze(windows: Sequence[Window], action: Action, now: datetime, within: timedelta) -> Frozen | None:
    """Return the freeze that begins within this time, unless one is on already. Its `until` is when it begins."""
    denies, allows = _by_kind(windows, action)
    if _closed(denies, allows, now) is not None:
        return None
    begins = [opens[0] for window in denies if (opens := window.next(now))]
    if allows and (ends := _covered(allows, now)):
        begins.append(ends)
    at = min(begins, default=None)
    if at is None or at > now + within:
        return None
    return Frozen(_closed(denies, allows, at) or "", at)


def _by_kind(windows: Sequence[Window], action: Action) -> tuple[list[Window], list[Window]]:
    """Return the windows that deny the action and those that allow it."""
    mine = [window for window in windows if action in window.actions]
    return [one for one in mine if one.kind == "deny"], [one for one in mine if one.kind == "allow"]


def _closed(denies: Sequence[Window], allows: Sequence[Window], now: datetime) -> str | None:
    """Return why the action is denied, or None."""
    for window in denies:
        if window.around(now):
            return window.reason or "a freeze window"
    if allows and not _open(allows, now):
        return "outside the windows in which it is allowed"
    return None


def _open(windows: Sequence[Window], now: datetime) -> bool:
    return any(window.around(now) for window in windows)


def _covered(windows: Sequence[Window], now: datetime) -> datetime | None:
    """Return the first time from `now` on at which none of the windows is open, or None if no end is scheduled."""
    at = now
    for _ in range(MOST):
        ends = [found[1] for window in windows if (found := window.around(at))]
        if not ends:
            return at
        at = max(ends)
    return None
