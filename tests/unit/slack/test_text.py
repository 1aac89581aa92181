from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.slack.text import plain


@pytest.mark.parametrize(
    ("text", "meant"),
    [
        ("<@U0BOT> plan acme/infra#12", "plan acme/infra#12"),
        ("  <@U0BOT>plan", "plan"),
        ("please <@U0BOT> plan", "please   plan"),
        ("<@U0BOT|towpath> plan", "plan"),
        ("plan <https://github.com/acme/infra/pull/12|#12>", "plan acme/infra#12"),
        ("plan acme/infra<https://github.com/acme/infra/pull/12|#12>", "plan acme/infra#12"),
        ("plan <https://github.com/acme/infra/pull/12>", "plan acme/infra#12"),
        ("plan <https://github.com/acme/infra/pull/12/files#diff-1|a change> now", "plan acme/infra#12 now"),
        ("see <https://example.com/a?b=1&amp;c=2>", "see https://example.com/a?b=1&c=2"),
        ("see <http://example.com|example.com>", "see example.com"),
        ("lock prod for <@U0BOB|bob>", "lock prod for @bob"),
        ("lock prod for <@U0BOB>", "lock prod for @U0BOB"),
        ("in <#C123|general> and <#C9>", "in #general and #C9"),
        ("<!here> <!subteam^S1|@ops> <!date^1^{date}|today>", "@here @ops today"),
        ("because “it’s ‘fine’”", "because \"it's 'fine'\""),
        ("destroy \u2014force", "destroy --force"),
        ("a \u2014 b", "a \u2014 b"),
        ("a &amp;lt; b &lt;c&gt;", "a &lt; b <c>"),
    ],
)
def test_plain(text: str, meant: str) -> None:
    assert plain(text, bot="U0BOT") == meant


def test_an_unknown_bot_is_the_first_word() -> None:
    assert plain("<@U0BOT> lock for <@U0BOB>") == "lock for @U0BOB"


@given(st.text(alphabet="<>@#!|&;^ abU0://.githubcompul-“’\n"))
def test_never_raises(text: str) -> None:
    assert plain(text, bot="U0BOT") == plain(text, bot="U0BOT").strip()
