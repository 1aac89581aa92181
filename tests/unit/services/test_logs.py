"""Logs hold no secret, in none of the ways in which one gets there."""

from __future__ import annotations

import io
import json
import logging
import sys
from collections.abc import Iterator

import pytest
import structlog

from bot import logs

SECRET = "hunter2-and-some-more"
PEM = "-----BEGIN KEY-----\nabcdefg\n-----END KEY-----"


@pytest.fixture(autouse=True)
def as_before() -> Iterator[None]:
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    yield
    structlog.reset_defaults()
    root.handlers[:] = handlers
    root.setLevel(level)


@pytest.fixture(params=[True, False], ids=["json", "text"])
def written(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> io.StringIO:
    """What is logged, in either form."""
    to = io.StringIO()
    monkeypatch.setattr(sys, "stderr", to)
    logs.configure([SECRET, PEM], as_json=request.param)
    return to


def fail(text: str) -> None:
    raise RuntimeError(f"the token {text} is wrong")


def test_in_the_event_and_in_values(written: io.StringIO) -> None:
    structlog.get_logger().warning(f"token {SECRET}", url=f"https://x:{SECRET}@host", key=PEM)
    assert SECRET not in written.getvalue()
    assert "abcdefg" not in written.getvalue()
    assert "https://x:***@host" in written.getvalue()


def test_in_tracebacks(written: io.StringIO) -> None:
    try:
        fail(SECRET)
    except RuntimeError:
        structlog.get_logger().exception("it failed", reference="T-1")
    assert SECRET not in written.getvalue()
    assert "the token *** is wrong" in written.getvalue()
    assert "T-1" in written.getvalue()


def test_in_a_librarys_record(written: io.StringIO) -> None:
    logger = logging.getLogger("some.library")
    logger.warning("sent %s", SECRET)
    try:
        fail(SECRET)
    except RuntimeError:
        logger.exception("broken with %s", SECRET)
    assert SECRET not in written.getvalue()
    assert "sent ***" in written.getvalue()
    assert "the token *** is wrong" in written.getvalue()


def test_in_what_is_bound(written: io.StringIO) -> None:
    structlog.get_logger().bind(token=SECRET).info("hello")
    assert SECRET not in written.getvalue()


@pytest.mark.parametrize(
    "value", [[SECRET], {"a": SECRET}, (SECRET,), RuntimeError(SECRET), {SECRET: 1}, SECRET.encode()]
)
def test_inside_of_values(written: io.StringIO, value: object) -> None:
    structlog.get_logger().warning("seen", value=value)
    assert SECRET not in written.getvalue()


def test_one_line_an_event(capsys: pytest.CaptureFixture[str]) -> None:
    logs.configure([], as_json=True)
    structlog.get_logger().info("two\nlines", a=1)
    (line,) = capsys.readouterr().err.splitlines()
    found = json.loads(line)
    assert (found["event"], found["a"], found["level"]) == ("two\nlines", 1, "info")
    assert found["timestamp"].endswith("Z")


def test_libraries_are_heard_from_warnings_on(written: io.StringIO) -> None:
    logging.getLogger("some.library").info("chatter")
    structlog.get_logger().debug("detail")
    structlog.get_logger().info("news")
    assert "chatter" not in written.getvalue()
    assert "detail" not in written.getvalue()
    assert "news" in written.getvalue()
