"""Freeze windows: when an environment takes no plan or apply, and when it does. A deny wins over an allow."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import takewhile
from typing import Any, Literal
from zoneinfo import ZoneInfo

from cronsim import CronSim

Action = Literal["plan", "apply"]

MOST = 400
"""Windows that are followed when one opens before the other closes; more than a year of daily ones."""


@dataclass(frozen=True)
class Window:
    """Opens at each time of `cron` (five fields, in `zone`) and lasts for `length`. `actions`: what it is about."""

    kind: Literal["deny", "allow"]
    cron: str
    length: timedelta
    zone: str = "UTC"
    reason: str = ""
    actions: tuple[Action, ...] = ("apply",)

    def around(self, now: datetime) -> tuple[datetime, datetime] | None:
        """(start, end) in UTC of the window that is open at `now` (its end not included), or None.

        Of several it is the one that opened last, and so closes last.
        """
        start = next((at for at in self._back(now) if at <= now), None)
        return (start, start + self.length) if start and now < start + self.length else None

    def next(self, now: datetime) -> tuple[datetime, datetime] | None:
        """(start, end) in UTC of the next one that opens after `now`; None for an expression that never comes true."""
        local = now.astimezone(ZoneInfo(self.zone))
        start = next((at for one in CronSim(self.cron, local) if (at := one.astimezone(UTC)) > now), None)
        if start is None:
            return None
        # Read forwards, CronSim passes over times after a clock was put back by half an hour (Lord Howe Island).
        passed = (at for at in self._back(start - timedelta(seconds=1)) if at < start)
        for at in takewhile(lambda at: at > now, passed):
            start = at
        return start, start + self.length

    def _back(self, now: datetime) -> Iterator[datetime]:
        """Openings, newest first, from about `now`: the first ones may be later.

        CronSim reads an hour that comes twice as its first time. In the second one we look back from after it, else
        what opened in the first would be passed over.
        """
        local = (now.replace(microsecond=0) + timedelta(seconds=1)).astimezone(ZoneInfo(self.zone))
        for at in CronSim(self.cron, local + timedelta(hours=local.fold), reverse=True):
            yield at.astimezone(UTC)


@dataclass(frozen=True)
class Frozen:
    """Nothing may happen until `until` (UTC; None where no end is in sight)."""

    reason: str
    until: datetime | None

    @property
    def span(self) -> str:
        """Until when, in words."""
        return f"until {self.until:%Y-%m-%d %H:%M} UTC" if self.until else "with no end in sight"


def frozen(windows: Sequence[Window], action: Action, now: datetime) -> Frozen | None:
    """What forbids `action` now, and until when: windows that touch or overlap count as one."""
    denies, allows = _about(windows, action)
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


def coming(windows: Sequence[Window], action: Action, now: datetime, within: timedelta) -> Frozen | None:
    """The freeze that begins within that time, where none is on: `until` is when it begins."""
    denies, allows = _about(windows, action)
    if _closed(denies, allows, now) is not None:
        return None
    begins = [opens[0] for window in denies if (opens := window.next(now))]
    if allows and (ends := _covered(allows, now)):
        begins.append(ends)
    at = min(begins, default=None)
    if at is None or at > now + within:
        return None
    return Frozen(_closed(denies, allows, at) or "", at)


def _about(windows: Sequence[Window], action: Action) -> tuple[list[Window], list[Window]]:
    """Those that deny it and those that allow it."""
    mine = [window for window in windows if action in window.actions]
    return [one for one in mine if one.kind == "deny"], [one for one in mine if one.kind == "allow"]


def _closed(denies: Sequence[Window], allows: Sequence[Window], now: datetime) -> str | None:
    """The reason why it is closed; None where it is open."""
    for window in denies:
        if window.around(now):
            return window.reason or "a freeze window"
    if allows and not _open(allows, now):
        return "outside the windows in which it is allowed"
    return None


def _open(windows: Sequence[Window], now: datetime) -> bool:
    return any(window.around(now) for window in windows)


def _covered(windows: Sequence[Window], now: datetime) -> datetime | None:
    """The first time from `now` on at which none of them is open; None where no end is in sight."""
    at = now
    for _ in range(MOST):
        ends = [found[1] for window in windows if (found := window.around(at))]
        if not ends:
            return at
        at = max(ends)
    return None


def read(entry: Mapping[str, Any]) -> Window:
    """A window as the policy has it: `{ deny = "0 17 * * 5", for = "64h", time_zone = "…", actions = […] }`, already
    checked, its length a timedelta."""
    kind: Literal["deny", "allow"] = "deny" if "deny" in entry else "allow"
    return Window(
        kind,
        entry[kind],
        entry["for"],
        entry.get("time_zone", "UTC"),
        entry.get("reason", ""),
        tuple(entry.get("actions", ("apply",))),
    )
