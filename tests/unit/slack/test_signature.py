from __future__ import annotations

from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st
from slack_sdk.signature import SignatureVerifier

from bot.slack.signature import sign, verify

SECRET = "8f742231b10e8888abcd99yyyzzz85a5"
NOW = datetime(2026, 11, 23, 12, tzinfo=UTC)
STAMP = str(int(NOW.timestamp()))


def test_agrees_with_slack_sdk() -> None:
    body = "text=plan+prod&token=%C3%BC"
    theirs = SignatureVerifier(SECRET).generate_signature(timestamp=STAMP, body=body)
    assert theirs is not None
    assert verify(SECRET, body.encode(), STAMP, theirs, NOW)


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


@given(st.text(), st.text(), st.binary())
def test_no_header_raises_and_none_passes(stamp: str, signature: str, body: bytes) -> None:
    assert not verify(SECRET, body, stamp, signature, NOW)
    assert not verify(SECRET, body, STAMP, signature, NOW)


@given(
    st.sampled_from(["", " ", "x", "-1", "1e9", "१७", "9" * 400, f" {STAMP}", f"{STAMP}.0", "nan", "0x10"])
)
def test_odd_times_are_false_even_when_signed(stamp: str) -> None:
    assert not verify(SECRET, b"x", stamp, sign(SECRET, b"x", stamp), NOW)
