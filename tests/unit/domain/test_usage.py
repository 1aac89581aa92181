from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.domain.chat.grammar import GrammarError, Usage
from bot.domain.chat.tokenizer import find_reference, split_words
from bot.domain.sanitize import outside


def bind(usage: str, line: str) -> dict[str, str | None]:
    return Usage.parse(usage).bind(split_words(line))


@pytest.mark.parametrize(
    ("usage", "line", "bound"),
    [
        ("", "/plan", {}),
        ("<env> [stack]", "/apply prod", {"env": "prod", "stack": None}),
        ("<env> [stack]", "/apply prod network", {"env": "prod", "stack": "network"}),
        ("<env> [reason...]", "/lock prod", {"env": "prod", "reason": None}),
        ("<env> [reason...]", "/lock prod the db moves", {"env": "prod", "reason": "the db moves"}),
        ("<env> <reason...>", '/lock prod "the  db"', {"env": "prod", "reason": "the  db"}),
        ("<env> <reason...>", '/lock prod a "b c" --d', {"env": "prod", "reason": 'a "b c" --d'}),
        ("[on|off]", "/watch OFF", {"on|off": "off"}),
        ("[env] [--force]", "/plan --force", {"env": None, "force": "yes"}),
        ("<env> [--for <time>]", "/lock --for 2h prod", {"env": "prod", "for": "2h"}),
        (
            "<env> [--for <time>] [reason...]",
            "/lock prod db moves --for 2h",
            {"env": "prod", "for": "2h", "reason": "db moves"},
        ),
        ("<env>", '/plan "--x"', {"env": "--x"}),
    ],
)
def test_a_usage_line_is_the_grammar(usage: str, line: str, bound: dict[str, str | None]) -> None:
    assert bind(usage, line) == bound


@pytest.mark.parametrize(
    ("usage", "line", "what"),
    [
        ("<env> [stack]", "/apply", "`<env>` is missing.\n    /apply\n           ^"),
        ("<env>", "/apply prod now", "Unexpected argument `now`.\n    /apply prod now\n                ^^^"),
        (
            "[on|off]",
            "/watch of",
            "`of` is not `on` or `off`; did you mean `off`?\n    /watch of\n           ^^",
        ),
        (
            "[--force]",
            "/plan --forse",
            "Unknown flag `--forse`; did you mean `--force`?\n    /plan --forse\n          ^^^^^^^",
        ),
        ("", "/status prod", "`/status` takes no arguments.\n    /status prod\n            ^^^^"),
        ("[--for <time>]", "/lock --for", "`--for` needs a value.\n    /lock --for\n                ^"),
        ("<env> <reason...>", "/lock prod", "`<reason>` is missing.\n    /lock prod\n               ^"),
    ],
)
def test_an_error_shows_the_place_and_the_way(usage: str, line: str, what: str) -> None:
    with pytest.raises(GrammarError) as caught:
        bind(usage, line)
    assert caught.value.what == what
    assert caught.value.next_step == f"Usage: `{f'{line.split(maxsplit=1)[0]} {usage}'.strip()}`"


def test_the_caret_of_a_long_line_stays_in_sight() -> None:
    with pytest.raises(GrammarError) as caught:
        bind("<env>", f"/apply {'x' * 300} {'y' * 300}")
    assert max(len(line) for line in caught.value.what.split("\n")[1:]) < 80
    assert "^" in caught.value.what


@pytest.mark.parametrize("usage", ["<env", "env", "[env] <stack>", "<reason...> <env>", "<Env>"])
def test_a_usage_that_cannot_be_followed_is_a_mistake(usage: str) -> None:
    with pytest.raises(ValueError, match=r"usage|ambiguous"):
        Usage.parse(usage)


@given(st.text(max_size=80))
def test_words_know_where_they_stand(line: str) -> None:
    for word in split_words(line):
        assert word.text in line[word.start : word.end]
        assert (word.end - word.start == len(word.text)) is not word.quoted


@given(st.text(max_size=80))
def test_whatever_is_written_is_bound_or_refused(line: str) -> None:
    usage = Usage.parse("<env> [a|b] [--for <time>] [--force]")
    try:
        bound = usage.bind(split_words(f"/x {line}"))
    except GrammarError:
        return
    assert bound["env"] is not None


@pytest.mark.parametrize(
    ("line", "repository", "number", "rest"),
    [
        ("plan staging", None, None, "plan staging"),
        ("plan staging #12", None, 12, "plan staging"),
        ("plan #12, staging", None, 12, "plan staging"),
        ("plan acme/infra#12 staging", "acme/infra", 12, "plan staging"),
        ("status Acme/Infra", "acme/infra", None, "status"),
        ("status acme/infra #12", "acme/infra", 12, "status"),
        ("plan https://github.com/acme/infra/pull/12/files#diff-1 ci", "acme/infra", 12, "plan ci"),
        ("plan <https://github.com/acme/infra/pull/12|infra#12> ci", "acme/infra", 12, "plan ci"),
        ('lock prod "see #12"', None, None, "lock prod see #12"),
        ("plan #1 #2", None, 1, "plan #2"),
        ("plan #12345678901", None, None, "plan #12345678901"),
        ("plan a/b/c", None, None, "plan a/b/c"),
    ],
)
def test_the_pull_request_is_taken_out_of_the_words(
    line: str, repository: str | None, number: int | None, rest: str
) -> None:
    found = find_reference(split_words(line))
    assert (*found[:2], " ".join(word.text for word in found[2])) == (repository, number, rest)


def test_a_bare_name_counts_where_it_is_known() -> None:
    words = split_words("lock prod and/or acme/infra")
    repository, _, rest = find_reference(words, {"acme/infra"})
    assert repository == "acme/infra"
    assert [word.text for word in rest] == ["lock", "prod", "and/or"]


def test_what_somebody_wrote_is_no_markup_of_ours() -> None:
    assert (
        outside("see `x`\n[y](https://example.com) <@U0BAD>") == "see 'x' [y] (https://example.com) < @U0BAD>"
    )
    assert outside("x" * 60_000) == "x" * 299 + "…"
