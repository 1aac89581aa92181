from __future__ import annotations

from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from bot.slack.signature import verify
from tests.unit.slack.signatures import sign

SECRET = "8f742231b10e8888abcd99yyyzzz85a5"
NOW = datetime(2026, 11, 23, 12, tzinfo=UTC)
STAMP = str(int(NOW.timestamp()))


def test_the_example_of_slacks_documentation() -> None:
    body = (
        b"token=xyzz0WbapA4vBCDEFasx0q6G&team_id=T1DC2JH3J&team_domain=testteamnow&channel_id=G8PSS9T3V"
        b"&channel_name=foobar&user_id=U2CERLKJA&user_name=roadrunner&command=%2Fwebhook-collect&text="
        b"&response_url=https%3A%2F%2Fhooks.slack.com%2Fcommands%2FT1DC2JH3J%2F397700885554"
        b"%2F96rGlfmibIGlgcZRskXaIFfN&trigger_id=398738663015.47445629121.803a0bc887a14d10d2c447fce8b6703c"
    )
    signature = "v0=a2114d57b48eac39b9ad189dd8316235a7b4a8d21a10bd27519666489c69b503"
    then = datetime.fromtimestamp(1531420618, UTC)
    assert verify(SECRET, body, "1531420618", signature, then)
    assert sign(SECRET, body, "1531420618") == signature


@given(st.text())
def test_any_text_is_signed_as_slack_does(text: str) -> None:
    body = text.encode("utf-8", "replace")
    assert verify(SECRET, body, STAMP, sign(SECRET, body, STAMP), NOW)


def test_what_is_not_utf_8_is_not_slacks() -> None:
    assert not verify(SECRET, b"\xff", STAMP, sign(SECRET, b"\xff", STAMP), NOW)


def test_window_is_five_minutes_both_ways() -> None:
    signature = sign(SECRET, b"x", STAMP)
    for seconds, fine in ((300, True), (-300, True), (301, False), (-301, False)):
        assert verify(SECRET, b"x", STAMP, signature, NOW + timedelta(seconds=seconds)) is fine


def test_body_secret_and_time_are_signed() -> None:
    signature = sign(SECRET, b"x", STAMP)
    assert not verify(SECRET, b"y", STAMP, signature, NOW)
    assert not verify("other", b"x", STAMP, signature, NOW)
    assert not verify(SECRET, b"x", str(int(STAMP) + 1), signature, NOW)
    assert not verify("", b"x", STAMP, sign("", b"x", STAMP), NOW)
    assert not verify(" ", b"x", STAMP, sign(" ", b"x", STAMP), NOW)


@given(st.text(), st.text(), st.binary())
def test_no_header_raises_and_none_passes(stamp: str, signature: str, body: bytes) -> None:
    assert not verify(SECRET, body, stamp, signature, NOW)
    assert not verify(SECRET, body, STAMP, signature, NOW)


@given(
    st.sampled_from(["", " ", "x", "-1", "1e9", "१७", "9" * 400, f" {STAMP}", f"{STAMP}.0", "nan", "0x10"])
)
def test_odd_times_are_false_even_when_signed(stamp: str) -> None:
    assert not verify(SECRET, b"x", stamp, sign(SECRET, b"x", stamp), NOW)
