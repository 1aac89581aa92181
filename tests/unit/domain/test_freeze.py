"""Freeze windows, against a slow reading of the same rules and against the clocks of several countries."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from itertools import takewhile
from zoneinfo import ZoneInfo

import pytest
from cronsim import CronSim, CronSimError
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.domain.policy.freeze_windows import Frozen, Window, freeze_at, next_freeze
from bot.domain.policy.schema import FreezeRule

BERLIN = ZoneInfo("Europe/Berlin")
HOUR = timedelta(hours=1)
DAY = timedelta(days=1)


def utc(*parts: int) -> datetime:
    return datetime(*parts, tzinfo=UTC)  # type: ignore[misc,arg-type]


def berlin(*parts: int, fold: int = 0) -> datetime:
    return datetime(*parts, tzinfo=BERLIN, fold=fold).astimezone(UTC)  # type: ignore[misc,arg-type]


WEEKEND = Window("deny", "0 17 * * 5", timedelta(hours=64), "Europe/Berlin", "weekend")
OFFICE = Window("allow", "0 9 * * 1-5", 8 * HOUR, "Europe/Berlin")


def until(windows: list[Window], now: datetime) -> datetime | None:
    found = freeze_at(windows, "apply", now)
    assert found is not None
    return found.until


def test_a_weekend() -> None:
    friday, monday = berlin(2026, 11, 20, 17), berlin(2026, 11, 23, 9)
    assert freeze_at([WEEKEND], "apply", friday - timedelta(microseconds=1)) is None
    assert freeze_at([WEEKEND], "apply", friday) == Frozen("weekend", monday)
    assert freeze_at([WEEKEND], "apply", monday - timedelta(microseconds=1)) == Frozen("weekend", monday)
    assert freeze_at([WEEKEND], "apply", monday) is None


def test_without_windows_nothing_is_frozen() -> None:
    assert freeze_at([], "apply", utc(2026, 1, 1)) is None
    assert next_freeze([], "apply", utc(2026, 1, 1), DAY) is None


def test_what_is_allowed_at_times_is_frozen_at_all_others() -> None:
    assert freeze_at([OFFICE], "apply", berlin(2026, 11, 23, 16, 59)) is None
    evening = freeze_at([OFFICE], "apply", berlin(2026, 11, 23, 17))
    assert evening == Frozen("outside the windows in which it is allowed", berlin(2026, 11, 24, 9))
    assert until([OFFICE], berlin(2026, 11, 20, 17)) == berlin(2026, 11, 23, 9), "over the weekend"


def test_a_deny_wins_over_an_allow() -> None:
    lunch = Window("deny", "0 12 * * *", HOUR, "Europe/Berlin")
    now = berlin(2026, 11, 23, 12, 30)
    assert freeze_at([OFFICE, lunch], "apply", now) == Frozen("a freeze window", berlin(2026, 11, 23, 13))


def test_an_end_within_a_closed_time_is_none() -> None:
    late = Window("deny", "0 16 * * *", 2 * HOUR, "Europe/Berlin", "late")
    now = berlin(2026, 11, 23, 16, 30)
    assert freeze_at([OFFICE, late], "apply", now) == Frozen("late", berlin(2026, 11, 24, 9))
    early = Window("deny", "0 8 * * *", 2 * HOUR, "Europe/Berlin", "early")
    assert until([OFFICE, early], berlin(2026, 11, 23, 18)) == berlin(2026, 11, 24, 10)


def test_windows_that_overlap_or_touch_are_one() -> None:
    first = Window("deny", "0 10 * * *", 2 * HOUR)
    touching, over = Window("deny", "0 12 * * *", HOUR), Window("deny", "30 12 * * *", HOUR)
    assert until([first, touching], utc(2026, 1, 1, 10)) == utc(2026, 1, 1, 13)
    assert until([over, touching, first], utc(2026, 1, 1, 10)) == utc(2026, 1, 1, 13, 30)
    assert until([first, over], utc(2026, 1, 1, 10)) == utc(2026, 1, 1, 12)


@pytest.mark.parametrize("part", [0, 1, 500_000, 999_999])
def test_there_is_no_gap_between_windows_that_touch(part: int) -> None:
    daily = Window("deny", "0 0 * * *", DAY)
    minutely = Window("deny", "* * * * *", timedelta(minutes=1))
    for window in (daily, minutely):
        for second in (58, 59, 0):
            now = utc(2026, 3, 4, 23, 59, second, part)
            assert freeze_at([window], "apply", now) == Frozen("a freeze window", None), now


def test_a_window_longer_than_its_period_never_ends() -> None:
    assert until([Window("deny", "0 0 * * *", 30 * HOUR)], utc(2026, 1, 1, 3)) is None


def test_a_month_of_hourly_windows_ends_when_they_all_do() -> None:
    hourly = Window("deny", "0 8-17 * * *", HOUR)
    assert until([hourly], utc(2026, 1, 1, 8)) == utc(2026, 1, 1, 18)


def test_each_action_has_its_own_windows() -> None:
    plans = Window("deny", "0 0 * * *", HOUR, actions=("plan",))
    both = Window("deny", "0 2 * * *", HOUR, actions=("plan", "apply"))
    now = utc(2026, 1, 1, 0, 30)
    assert freeze_at([plans, both], "apply", now) is None
    assert freeze_at([plans, both], "plan", now) is not None
    assert freeze_at([plans, both], "apply", now + 2 * HOUR) is not None
    allowed = Window("allow", "0 5 * * *", HOUR, actions=("plan",))
    assert freeze_at([allowed], "apply", now) is None, "an allow for plans does not close applies"


# clocks that change: 2026-03-29 02:00 → 03:00, 2026-10-25 03:00 → 02:00


def test_a_window_that_opens_in_the_hour_that_is_left_out_opens_when_it_is_over() -> None:
    night = Window("deny", "30 2 * * *", HOUR, "Europe/Berlin")
    opens = utc(2026, 3, 29, 1)  # 03:00 in Berlin
    assert freeze_at([night], "apply", opens - timedelta(seconds=1)) is None
    assert until([night], opens) == opens + HOUR


def test_a_window_that_opens_in_the_hour_that_comes_twice_opens_in_the_first_once() -> None:
    night = Window("deny", "30 2 * * *", HOUR, "Europe/Berlin")
    opens = berlin(2026, 10, 25, 2, 30)
    assert opens == utc(2026, 10, 25, 0, 30)
    for minutes in (0, 29, 30, 59):
        assert until([night], opens + timedelta(minutes=minutes)) == opens + HOUR
    second = berlin(2026, 10, 25, 2, 30, fold=1)
    assert freeze_at([night], "apply", second) is None
    assert night.next(second) == (berlin(2026, 10, 26, 2, 30), berlin(2026, 10, 26, 3, 30))


def test_a_window_lasts_as_long_as_it_says_whatever_the_clock_shows() -> None:
    nights = Window("deny", "0 22 * * *", 10 * HOUR, "Europe/Berlin")
    assert until([nights], berlin(2026, 3, 28, 23)) == berlin(2026, 3, 29, 9)
    assert until([nights], berlin(2026, 10, 24, 23)) == berlin(2026, 10, 25, 7)


def test_leap_days() -> None:
    leap = Window("deny", "0 0 29 2 *", DAY)
    assert freeze_at([leap], "apply", utc(2026, 2, 28, 23)) is None
    assert leap.next(utc(2026, 1, 1)) == (utc(2028, 2, 29), utc(2028, 3, 1))
    assert until([leap], utc(2028, 2, 29, 23, 59)) == utc(2028, 3, 1)
    assert leap.next(utc(2096, 3, 1)) == (utc(2104, 2, 29), utc(2104, 3, 1)), "2100 is none"


def test_a_time_that_never_comes_is_the_policys_to_refuse() -> None:
    with pytest.raises(CronSimError):
        Window("deny", "0 0 30 2 *", HOUR).next(utc(2026, 1, 1))


def test_coming_tells_the_next_freeze_within_a_time() -> None:
    friday = berlin(2026, 11, 20, 17)
    assert next_freeze([WEEKEND], "apply", friday - 24 * HOUR, 24 * HOUR) == Frozen("weekend", friday)
    assert next_freeze([WEEKEND], "apply", friday - 24 * HOUR, 23 * HOUR) is None
    assert next_freeze([WEEKEND], "plan", friday - HOUR, DAY) is None
    assert next_freeze([WEEKEND], "apply", friday, DAY) is None, "it is on already"


def test_coming_tells_when_what_is_allowed_ends() -> None:
    noon, evening = berlin(2026, 11, 23, 12), berlin(2026, 11, 23, 17)
    assert next_freeze([OFFICE], "apply", noon, DAY) == Frozen(
        "outside the windows in which it is allowed", evening
    )
    more = Window("allow", "0 17 * * *", HOUR, "Europe/Berlin")
    found = next_freeze([OFFICE, more], "apply", noon, DAY)
    assert found is not None
    assert found.until == evening + HOUR
    assert next_freeze([Window("allow", "0 0 * * *", DAY)], "apply", noon, 30 * DAY) is None, "always allowed"


def test_a_window_as_the_policy_has_it() -> None:
    assert FreezeRule(deny="0 17 * * 5", length=HOUR).window == Window("deny", "0 17 * * 5", HOUR)
    whole = FreezeRule(
        allow="0 9 * * *", length=HOUR, time_zone="Europe/Berlin", reason="r", actions=("plan",)
    )
    assert whole.window == Window("allow", "0 9 * * *", HOUR, "Europe/Berlin", "r", ("plan",))


CRONS = [
    "0 17 * * 5",
    "30 2 * * *",
    "0 2,3 * * *",
    "*/20 * * * *",
    "15 */2 * * *",
    "0 0 1 * *",
    "45 1-3 * * 0",
    "0 0 L * *",
]
ZONES = ["UTC", "Europe/Berlin", "America/New_York", "Australia/Lord_Howe", "America/Santiago"]
NEAR = [
    utc(2026, 3, 28, 22),
    utc(2026, 10, 24, 22),
    utc(2026, 11, 1, 3),
    utc(2026, 4, 4, 12),
    utc(2026, 4, 5),
]
WINDOWS = st.builds(
    Window,
    st.sampled_from(["deny", "allow"]),
    st.sampled_from(CRONS),
    st.sampled_from([timedelta(minutes=20), HOUR, 3 * HOUR, 25 * HOUR]),
    st.sampled_from(ZONES),
)
TIMES = st.builds(
    lambda near, seconds, part: near + timedelta(seconds=seconds, microseconds=part),
    st.sampled_from(NEAR),
    st.integers(0, 16 * 3600),
    st.sampled_from([0, 1, 999_999]),
)


def is_open(window: Window, now: datetime) -> bool:
    """All openings from well before, read forwards and back: each way passes over some where a clock is put back."""
    zone, first, last = ZoneInfo(window.zone), now - 35 * DAY, now + 3 * HOUR
    forwards = (one.astimezone(UTC) for one in CronSim(window.cron, first.astimezone(zone)))
    back = (one.astimezone(UTC) for one in CronSim(window.cron, last.astimezone(zone), reverse=True))
    openings = [*takewhile(lambda at: at <= last, forwards), *takewhile(lambda at: at >= first, back)]
    return any(at <= now < at + window.length for at in openings)


def test_a_time_after_a_clock_was_put_back_by_half_an_hour_is_not_passed_over() -> None:
    window = Window("deny", "15 */2 * * *", timedelta(minutes=20), "Australia/Lord_Howe")
    assert window.next(utc(2026, 4, 4, 14)) == (utc(2026, 4, 4, 15, 45), utc(2026, 4, 4, 16, 5))


def is_closed(windows: list[Window], now: datetime) -> bool:
    allows = [window for window in windows if window.kind == "allow"]
    denied = any(is_open(window, now) for window in windows if window.kind == "deny")
    return denied or (bool(allows) and not any(is_open(window, now) for window in allows))


@settings(max_examples=120, deadline=None)
@given(WINDOWS, TIMES)
def test_a_window_is_open_when_a_slow_reading_says_so(window: Window, now: datetime) -> None:
    assert (window.around(now) is not None) == is_open(window, now)


@settings(max_examples=60, deadline=None)
@given(st.lists(WINDOWS, min_size=1, max_size=3), TIMES)
def test_it_is_closed_until_the_end_that_is_told(windows: list[Window], now: datetime) -> None:
    found = freeze_at(windows, "apply", now)
    assert (found is not None) == is_closed(windows, now)
    if found is not None and found.until is not None:
        assert found.until > now
        assert not is_closed(windows, found.until)
        step = (found.until - now) / 7
        assert all(is_closed(windows, now + part * step) for part in range(7))
        assert is_closed(windows, found.until - timedelta(microseconds=1))
    if found is None:
        soon = next_freeze(windows, "apply", now, 10 * DAY)
        if soon is not None and soon.until is not None:
            assert now < soon.until <= now + 10 * DAY
            assert is_closed(windows, soon.until)
            assert not is_closed(windows, soon.until - timedelta(microseconds=1))


@pytest.mark.parametrize(
    "window",
    [WEEKEND, OFFICE, Window("deny", "0 0 29 2 *", DAY), Window("deny", "* * * * *", timedelta(minutes=1))],
    ids=["weekend", "office", "leap day", "every minute"],
)
def test_the_work_for_an_answer_is_bounded(window: Window, monkeypatch: pytest.MonkeyPatch) -> None:
    asked = 0
    around = Window.around

    def counted(self: Window, now: datetime) -> tuple[datetime, datetime] | None:
        nonlocal asked
        asked += 1
        return around(self, now)

    monkeypatch.setattr(Window, "around", counted)
    freeze_at([window] * 2, "apply", utc(2026, 11, 20, 17, 30))
    assert asked <= 2 * 402
