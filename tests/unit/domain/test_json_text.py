"""Numbers of any size, and values of any depth."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.domain.plans import read_plan
from bot.domain.plans.terraform_json import change_json, read_json
from bot.domain.states.model import StateInfo
from bot.errors import UserError
from tests.contract.state_store import state

LONG = "1" + "0" * 5000
DEEP = "[" * 400 + "1" + "]" * 400


def test_long_numbers_are_the_text_of_their_digits() -> None:
    assert read_json(f'{{"a": {LONG}, "b": -{LONG}, "c": 7, "d": 1.5}}') == {
        "a": LONG,
        "b": f"-{LONG}",
        "c": 7,
        "d": 1.5,
    }
    assert read_json(f"[{LONG[:400]}.5]") == [f"{LONG[:400]}.5"]


@pytest.mark.parametrize("text", ["", "{", "[1,]", "[" * 100_000, f"[{LONG}", b"\xff\xfe\xfa"])
def test_what_is_no_json_is_a_value_error(text: str | bytes) -> None:
    with pytest.raises(ValueError, match=r".") as caught:
        read_json(text)
    assert not isinstance(caught.value, RecursionError)


@given(
    st.recursive(
        st.none()
        | st.booleans()
        | st.integers()
        | st.floats(allow_nan=False, allow_infinity=False)
        | st.text(),
        lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    )
)
def test_it_reads_as_json_does(value: object) -> None:
    assert read_json(json.dumps(value)) == value


def test_a_change_leaves_all_other_numbers_as_they_are() -> None:
    before = f'{{"serial": 3, "a": [0.12345678901234567890123, {LONG}, 1E400, -0.0, "1.50"], "lineage": "x"}}'
    after = change_json(before, serial=4)
    assert read_json(after)["serial"] == 4
    for kept in ("0.12345678901234567890123", LONG, "1E400", "-0.0", '"1.50"'):
        assert kept.encode() in after
    for broken in ("[]", "{", "[" * 100_000):
        with pytest.raises(ValueError, match=r"."):
            change_json(broken, serial=1)


def test_a_state_with_a_long_number_is_a_state() -> None:
    data = state(3).replace(b'"serial"', f'"more": {LONG}, "serial"'.encode())
    assert StateInfo.parse(data).serial == 3


def plan(value: str, secret: str = "") -> dict[str, object]:
    change = f'{{"actions": ["create"], "before": null, "after": {value}, "after_unknown": false}}'
    return dict(read_json(f'{{"output_changes": {{"x": {change}}}, "secret": "{secret}"}}'))


def test_a_plan_shows_long_numbers_and_refuses_depths() -> None:
    (shown,) = read_plan(plan(LONG)).outputs
    assert shown.after.startswith('"1000')
    with pytest.raises(UserError, match="hundreds of levels"):
        read_plan(plan(DEEP))
