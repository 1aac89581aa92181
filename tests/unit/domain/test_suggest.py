from __future__ import annotations

import pytest

from bot.domain.suggest import did_you_mean, hint


@pytest.mark.parametrize(
    ("word", "meant"),
    [
        ("aply", "apply"),
        ("PLAN", "plan"),
        ("stauts", "status"),
        ("unlok", "unlock"),
        ("xyzzy", None),
        ("", None),
    ],
)
def test_the_nearest_word_is_offered(word: str, meant: str | None) -> None:
    assert did_you_mean(word, ["apply", "plan", "status", "unlock"]) == meant


def test_a_long_word_is_no_typing_mistake() -> None:
    assert did_you_mean("apply" * 20_000, ["apply"]) is None


def test_a_hint_says_nothing_where_nothing_is_near() -> None:
    assert hint("aply", ["apply"]) == "; did you mean `apply`?"
    assert hint("xyzzy", ["apply"]) == ""
