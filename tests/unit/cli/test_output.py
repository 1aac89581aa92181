"""What commands write to a terminal, and what to a pipe."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager, redirect_stderr, redirect_stdout
from io import StringIO

import pytest

from bot.cli.output import columns, document, marks, working
from bot.render.document import Bold, Document, Heading, Items, Plain, Table

TOLD = [(True, "git", "/usr/bin/git"), (False, "[red]GitHub[/]", "off: set TOWPATH_GITHUB_TOKEN, or an App")]
LISTED = Document(
    "versions",
    (
        Heading((Plain("Versions"),)),
        Table(
            ("serial", "state"), (((Plain("4"),), (Plain("✅ fine"),)), ((Plain("10"),), (Plain("late"),)))
        ),
        Items(((Bold("destroy"), Plain(" [bold]x.web[0]")),)),
    ),
)


class Terminal(StringIO):
    """A terminal, 40 columns wide."""

    def isatty(self) -> bool:
        return True


@pytest.fixture(autouse=True)
def environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "40")
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.setenv("FORCE_COLOR", "1")
    monkeypatch.delenv("NO_COLOR", raising=False)


@contextmanager
def to(stream: StringIO) -> Iterator[StringIO]:
    with redirect_stdout(stream), redirect_stderr(stream):
        yield stream


def test_a_pipe_gets_whole_lines_without_codes() -> None:
    with to(StringIO()) as pipe:
        marks(TOLD)
        columns([("acme/infra", "serial 4"), ("acme/web", "")])
        document(LISTED)
    assert pipe.getvalue().splitlines() == [
        "✓ git            /usr/bin/git",
        "✗ [red]GitHub[/] off: set TOWPATH_GITHUB_TOKEN, or an App",
        "acme/infra  serial 4",
        "acme/web",
        "Versions",
        "",
        "SERIAL  STATE",
        "4       ✅ fine",
        "10      late",
        "",
        "- destroy [bold]x.web[0]",
    ]


def test_a_terminal_gets_colours_and_its_own_width() -> None:
    with to(Terminal()) as terminal:
        marks(TOLD)
    lines = terminal.getvalue().splitlines()
    assert lines[0].startswith("\x1b[32m✓\x1b[0m git")
    assert "\x1b[31m✗\x1b[0m [red]GitHub[/] off: set" in lines[1]
    assert len(lines) > 2, "folded"
    with to(terminal):
        document(LISTED)
    assert "\x1b[1mVersions\x1b[0m" in terminal.getvalue()
    assert "\x1b[1mdestroy\x1b[0m [bold]x.web[0]" in terminal.getvalue()


def test_no_color_turns_colours_off(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NO_COLOR", "1")
    with to(Terminal()) as terminal:
        marks(TOLD)
    assert "\x1b[3" not in terminal.getvalue()


def test_nothing_is_printed_of_nothing() -> None:
    with to(StringIO()) as pipe:
        marks([])
        columns([])
    assert pipe.getvalue() == ""


def test_long_work_is_told_in_a_terminal() -> None:
    with to(Terminal()) as terminal, working("Migrating"):
        pass
    assert "Migrating …" in terminal.getvalue()
    assert terminal.getvalue().endswith("\x1b[2K"), "and the line is gone at its end"


def test_a_pipe_hears_nothing_of_long_work() -> None:
    with to(StringIO()) as pipe, working("Migrating"):
        pass
    assert pipe.getvalue() == ""
