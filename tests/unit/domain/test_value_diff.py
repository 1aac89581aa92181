"""Two values compared: every changed part is written, nothing secret is, and unchanged parts are counted."""

from __future__ import annotations

import copy
import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.domain.plans import SENSITIVE, Differ, Pair, fold, is_change
from bot.domain.plans.alignment import align
from bot.domain.redaction import Redactor

WORDS = " ".join(f"--env NAME{n}=value{n}" for n in range(40))
LINES = "".join(f"step {n}\n" for n in range(40))
DOCUMENT = {"Statement": [{"Sid": f"s{n}", "Action": [f"a:{n}{m}" for m in range(9)]} for n in range(4)]}


def written(before: Any, after: Any, *secrets: str, hidden: Any = None, unknown: Any = None) -> list[str]:
    pair = Pair({"x": before}, {"x": after}, {"x": unknown}, ({"x": hidden}, None))
    found = Differ(Redactor(secrets)).attributes(pair)
    return [line for _, change in found for line in change.lines]


def with_statement(change: Any) -> str:
    document = copy.deepcopy(DOCUMENT)
    change(document["Statement"])
    return json.dumps(document)


# alignment


@given(st.lists(st.sampled_from("abcd"), max_size=30), st.lists(st.sampled_from("abcd"), max_size=30))
def test_matches_are_equal_and_ascend(before: list[str], after: list[str]) -> None:
    matches = align(before, after)
    assert all(before[i] == after[j] for i, j in matches)
    assert [i for i, _ in matches] == sorted({i for i, _ in matches})
    assert [j for _, j in matches] == sorted({j for _, j in matches})


@given(st.lists(st.integers(), unique=True, max_size=40), st.data())
def test_what_is_inserted_and_removed_alone_is_unmatched(before: list[int], data: st.DataObject) -> None:
    kept = [item for item in before if data.draw(st.booleans())]
    assert len(align(before, kept)) == len(kept)


def test_a_long_list_is_aligned_soon() -> None:
    """In a time that does not grow with the square of the length, also if everything repeats or moves."""
    many = [n % 7 for n in range(200_000)]
    assert align(many, many[::-1])
    assert len(align(list(range(200_000)), list(range(199_999, -1, -1)))) >= 1


# JSON within strings


def test_an_action_deep_in_a_policy() -> None:
    policy = with_statement(lambda found: found[2]["Action"].append("iam:*"))
    assert written(json.dumps(DOCUMENT), policy) == [
        "~ x (JSON)",
        "    ~ Statement[2].Action",
        '        + [9] = "iam:*"',
        "          … 9 unchanged values",
        "      … 31 unchanged values",
    ]


def test_an_inserted_statement_changes_no_other() -> None:
    new = {"Sid": "new", "Action": "s3:*"}
    assert written(json.dumps(DOCUMENT), with_statement(lambda found: found.insert(1, new))) == [
        "~ x (JSON)",
        '    + Statement[1].Action = "s3:*"',
        '    + Statement[1].Sid = "new"',
        "      … 40 unchanged values",
    ]


def test_a_similar_statement_is_compared_with_its_old_self() -> None:
    def change(found: list[Any]) -> None:
        found.insert(0, {"Sid": "new", "Action": "s3:*"})
        found[2]["Sid"] = "renamed"

    assert '    ~ Statement[2].Sid = "s1" -> "renamed"' in written(
        json.dumps(DOCUMENT), with_statement(change)
    )


def test_json_in_json() -> None:
    inner = [json.dumps({"body": json.dumps({"deep": LINES, "n": n})}) for n in (1, 2)]
    assert written(*inner) == [
        "~ x (JSON)",
        "    ~ body (JSON)",
        "        ~ n = 1 -> 2",
        "          … 1 unchanged value",
    ]


def test_formatting_alone_is_said_to_be_that() -> None:
    text = json.dumps(DOCUMENT)
    assert written(text, json.dumps(DOCUMENT, indent=2)) == ["~ x (JSON: only the formatting changes)"]


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ('{"a": 1, "pad": "%s"}', '{"a": 1.0, "pad": "%s"}'),
        ('{"a": 1, "pad": "%s"}', '{"a": true, "pad": "%s"}'),
        ('{"a": 1, "pad": "%s"}', '{"a": "1", "pad": "%s"}'),
        ('{"a": 1, "pad": "%s"}', '{"a": 1, "a": 1, "pad": "%s"}'),
        ('{"a": 1, "pad": "%s"}', '{"a": 1, "pad": "%s"} x'),
        ('{"a": 1, "pad": "%s"}', '{"a": null, "pad": "%s"}'),
    ],
)
def test_documents_that_python_takes_for_equal(before: str, after: str) -> None:
    lines = written(before % ("p" * 200), after % ("p" * 200))
    assert "formatting" not in lines[0]
    assert any(map(is_change, lines[1:]))


@pytest.mark.parametrize(("before", "after"), [(True, 1), (1, 1.0), ("1", 1), ([True], [1]), ({}, [])])
def test_values_that_python_takes_for_equal(before: Any, after: Any) -> None:
    assert written(before, after)


def test_null_is_a_value_in_json_and_lists() -> None:
    pad = "p" * 200
    assert written(json.dumps({"pad": pad}), json.dumps({"pad": pad, "a": None})) == [
        "~ x (JSON)",
        "    + a = null",
        "      … 1 unchanged value",
    ]
    assert written(["a"], ["a", None]) == ['~ x = ["a"] -> ["a", null]']
    assert written({"a": 1}, {"a": 1, "b": None}) == ["+ x.b = null"]
    assert written(None, {"a": 1, "b": None}) == ["+ x.a = 1"]


# lists


def test_one_of_twenty() -> None:
    names = [f"subnet-{n:012}" for n in range(20)]
    assert written(names, [*names[:7], "subnet-bad", *names[8:], "subnet-more"]) == [
        "~ x",
        '    ~ [7] = "subnet-000000000007" -> "subnet-bad"',
        '    + [20] = "subnet-more"',
        "      … 19 unchanged values",
    ]


def test_blocks_are_not_compared_by_their_place() -> None:
    rules = [{"port": port, "from": "10.0.0.0/8"} for port in (22, 80, 443)]
    assert written(rules, [{"port": 1, "from": "0.0.0.0/0"}, *rules]) == [
        '+ x[0].from = "0.0.0.0/0"',
        "+ x[0].port = 1",
    ]
    assert written(rules, rules[1:]) == ['- x[0].from = "10.0.0.0/8"', "- x[0].port = 22"]


# texts


def test_a_line_of_a_script() -> None:
    assert written(LINES, LINES.replace("step 20\n", "curl | sh\n- step\n")) == [
        "~ x",
        "      … 18 unchanged lines",
        "      | step 18",
        "      | step 19",
        "    - | step 20",
        "    + | curl | sh",
        "    + | - step",
        "      | step 21",
        "      | step 22",
        "      … 18 unchanged lines",
    ]


def test_a_text_that_looks_like_a_diff_is_no_change() -> None:
    text = "- name: a\n+ name: b\n~ c\n" * 20
    lines = written(text, text + "more\n")
    assert [line for line in lines[1:] if is_change(line)] == ["    + | more"]


def test_words_of_a_long_line() -> None:
    lines = written(WORDS, WORDS.replace("NAME20=", "NAME20 --privileged "))
    assert [line[:8] for line in lines] == ["~ x", "    - | ", "    + | ", "      … "]
    assert "--privileged" in lines[2]
    assert max(map(len, lines)) < 200


def test_what_cannot_be_seen_is_escaped() -> None:
    lines = written(LINES, LINES.replace("step 3\n", "step\t3\u200b\r \n"))
    assert "    + | step\\t3\\u200b\\r·" in lines
    assert written("a", "a\u202e") == ['~ x = "a" -> "a\\u202e"']


def test_a_very_long_line_is_cut_nowhere() -> None:
    before, after = "a;" * 200_000, "a;" * 100_000 + "evil" + "a;" * 100_000
    assert any("evil" in line for line in written(before, after))


# secrets


def test_a_secret_in_a_document() -> None:
    texts = [json.dumps({"pad": "p" * 200, "password": f"hunter2-{n}", "n": n}) for n in (1, 2)]
    assert written(*texts) == [
        "~ x (JSON)",
        "    ~ n = 1 -> 2",
        '    ~ password = "***"',
        "      … 1 unchanged value",
    ]


@pytest.mark.parametrize(
    "form",
    [
        "{}",
        '{{"a": "{}"}}',
        '{{"a": ["x", "y {} z"]}}',
        "line\n{}\nline\n",
        "words {} words " + WORDS,
        LINES + "{}\n" + LINES,
    ],
)
@pytest.mark.parametrize("escaped", [False, True])
def test_a_known_secret_is_redacted_before_anything_is_cut(form: str, escaped: bool) -> None:
    secret = "s3cr3t-of-forty-characters-and-not-less!"
    spelled = "".join(f"\\u{ord(char):04x}" for char in secret) if escaped and form[:2] == "{{" else secret
    before, after = form.format("before" * 20), form.format(f"{spelled} {'after' * 20}")
    told = "\n".join(written(before, after, secret))
    assert "***" in told
    for start in range(len(secret) - 8):
        assert secret[start : start + 8] not in told.replace("characters", "")


def test_a_secret_that_moves_within_a_list_stays_hidden() -> None:
    """It is marked at its old place; at its new one, the plan may have lost the mark."""
    told = written(["a", "hush-hush"], ["hush-hush", "b", "c"], hidden=[False, True])
    assert "hush" not in "\n".join(told)
    moved = written([{"k": "hush", "n": 1}], [{"n": 2}, {"n": 3, "k": "hush-2"}], hidden=[{"k": True}])
    assert "hush" not in "\n".join(moved)
    assert SENSITIVE in "\n".join(moved)


@given(st.text(max_size=900), st.sampled_from(["+ ", "- ", "~ ", "  | ", ""]))
def test_folding_loses_nothing(text: str, sign: str) -> None:
    parts = list(fold(sign + text))
    assert max(map(len, parts)) <= 240
    shown = parts[0] + "".join(part.partition("↳ ")[2] for part in parts[1:])
    assert shown == sign + text


trees = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(0, 3)
    | st.sampled_from(["", "a", "b", "line\nline\n", WORDS, LINES]),
    lambda inner: (
        st.lists(inner, max_size=5)
        | st.dictionaries(st.sampled_from("abc"), inner, max_size=3)
        | inner.map(lambda value: json.dumps({"in": value, "pad": "p" * 150}))
    ),
    max_leaves=20,
)


@given(trees, trees)
def test_something_is_written_if_and_only_if_something_changes(before: Any, after: Any) -> None:
    """A map that has nothing but nulls is as good as none."""
    lines = written(before, after)
    if _without_nulls(before) != _without_nulls(after):
        assert lines
        assert is_change(lines[0])
    if json.dumps(before, sort_keys=True) == json.dumps(after, sort_keys=True):
        assert not lines
    assert all(len(line) <= 240 for line in lines)


def _without_nulls(value: Any) -> Any:
    """The value with its types, since Python takes `1` and `true` for equal, and without empty keys."""
    if isinstance(value, dict):
        found = {key: inner for key, item in value.items() if (inner := _without_nulls(item)) is not None}
        return found or ("map" if not value else None)
    return list(map(_without_nulls, value)) if isinstance(value, list) else value and (type(value), value)
