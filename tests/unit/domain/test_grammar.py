from __future__ import annotations

import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.domain.chat.comment_parser import OTHER_BOTS, Line, TooManyCommands, find_commands


def texts(markdown: str) -> list[str]:
    return [line.text for line in find_commands(markdown)]


def test_a_command_stands_at_the_start_of_a_line_of_a_paragraph() -> None:
    assert find_commands("Let us go\n/plan staging\r\n\r\n  /apply prod  \nand thanks") == [
        Line("/plan staging", 2),
        Line("/apply prod", 4),
    ]


@pytest.mark.parametrize(
    "markdown",
    [
        "please /plan",
        "```\n/plan\n```",
        "~~~sh\n/plan",
        "    /plan",
        "`\n/plan\n`",
        "a ``\n/plan\n`` b",
        "> /plan",
        "> quoted\n/plan",
        "> > deep\n> /plan",
        "- /plan",
        "- item\n  /plan",
        "1. item\n\n   /plan",
        "<!--\n/plan\n-->",
        "text <!--\n/plan\n--> text",
        "<details>\n/plan\n</details>",
        "<b a='\n/plan\n'>",
        "a <a href=\n/plan\nx='y'>",
        "[a\n/plan\nb](https://example.com)",
        "| a |\n|---|\n/plan",
        "/plan\n===",
        "# /plan",
        "[x]:\n/plan",
        "/etc/passwd",
        "/plan/staging",
        "//plan",
        "/ plan",
        "\\/plan",
        "/1plan",
        "",
    ],
)
def test_elsewhere_it_is_no_command(markdown: str) -> None:
    assert find_commands(markdown) == []


@pytest.mark.parametrize(
    ("markdown", "text"),
    [
        ("/plan\u200b", "/plan"),
        ("/apply prod \u00a0\u200b\u3000", "/apply prod"),
        ("/lock prod “big move”", '/lock prod "big move"'),
        ("/lock prod don’t touch", "/lock prod don't touch"),
        ("/apply prod —force", "/apply prod --force"),
        ("/lock prod a — b", "/lock prod a — b"),
        ("</b> <i>\n\n/plan", "/plan"),
        ("`code`\n/plan", "/plan"),
        ("a `b\n/plan", "/plan"),
        ("/plan\ttest", "/plan\ttest"),
        ("/lock prod `a|b` [x](y)", "/lock prod `a|b` [x](y)"),
        ("/plan\rnext", "/plan"),
    ],
)
def test_what_keyboards_and_pages_add_is_understood(markdown: str, text: str) -> None:
    assert texts(markdown) == [text]


def test_the_word_is_read_in_small_letters() -> None:
    assert [line.name for line in find_commands("/Plan staging\n/APPLY")] == ["plan", "apply"]


def test_ten_commands_are_taken_and_eleven_are_not() -> None:
    assert len(find_commands("/plan\n" * 10)) == 10
    with pytest.raises(TooManyCommands) as caught:
        find_commands("/plan\n" * 11)
    assert "11 commands" in caught.value.what


def test_other_bots_commands_do_not_count() -> None:
    assert {"lgtm", "retest", "cc", "hold", "merge", "rebase"} <= OTHER_BOTS
    assert len(find_commands("/lgtm\n" * 20 + "/plan")) == 21


@pytest.mark.parametrize(
    "hostile",
    [
        ">" * 59_000 + " /plan",
        "> " * 20_000 + "/plan",
        "/plan\n" + "`" * 59_000,
        "/plan\n" + "".join("`" * (index % 60 + 1) + " " for index in range(1_900)),
        "/plan\n" + "[" * 59_000,
        "/plan\n" + "![" * 29_000,
        "/plan\n" + "[a](" * 14_000,
        "/plan\n" + "<!--" * 14_000,
        "/plan\n" + "<a " * 19_000,
        "/plan\n" + "*a _b " * 9_000,
        "- " * 29_000 + "/plan",
        "/plan \x00\ue0007\ue001" * 1_000,
        "/a" * 32_000,
        "/plan " + "x " * 30_000,
    ],
)
def test_hostile_comments_are_read_in_good_time(hostile: str) -> None:
    # Ten seconds are far more than it takes; what grows with the square of the length takes minutes.
    before = time.process_time()
    assert len(find_commands(hostile)) <= 1
    assert time.process_time() - before < 10


@settings(max_examples=200, deadline=None)
@given(
    st.lists(
        st.sampled_from(
            [
                "/plan",
                " ",
                "\n",
                "\r\n",
                "`",
                "```",
                "> ",
                "- ",
                "<!--",
                "-->",
                "[",
                "](x)",
                "a",
                "\ue000",
                "\ue001",
                "|",
                "\x00",
                "    ",
            ]
        ),
        max_size=30,
    )
)
def test_every_command_found_is_a_line_of_the_comment(parts: list[str]) -> None:
    markdown = "".join(parts)
    lines = markdown.replace("\r\n", "\n").replace("\r", "\n").split("\n")
    try:
        found = find_commands(markdown)
    except TooManyCommands:
        return
    for line in found:
        assert lines[line.number - 1].lstrip(" ").startswith("/plan")
        assert line.name.startswith("plan")
