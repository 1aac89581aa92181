"""Addresses, and what a state says under them."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.domain.states.addresses import Step, keyless, objects, parse_address, providers, spell_address
from bot.errors import UserError

NAMES = st.from_regex(r"[a-z_][a-z0-9_-]{0,8}", fullmatch=True)
KEYS = st.none() | st.integers(0, 99) | st.text(st.characters(exclude_categories=["Cs"]), max_size=8)
MODULES = st.lists(st.builds(Step, st.just("module"), NAMES, KEYS), max_size=3)
RESOURCE = st.builds(Step, NAMES.filter(lambda name: name != "module"), NAMES, KEYS)


@given(MODULES, RESOURCE)
def test_what_is_spelt_is_read_again(modules: list[Step], resource: Step) -> None:
    address = (*modules, resource)
    assert parse_address(spell_address(address)) == address
    assert parse_address(spell_address(keyless(address))) == keyless(address)


@pytest.mark.parametrize(
    "text", ["", "a", "a.b.c.d", "a.b[each.key]", "module.m.", 'a.b["x]', "a.b[1", "a.b.", "${a.b}"]
)
def test_what_is_no_address_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="not an address"):
        parse_address(text)


def test_a_states_objects() -> None:
    state = {
        "version": 4,
        "resources": [
            {"mode": "data", "type": "t", "name": "d", "provider": "p", "instances": [{"attributes": {}}]},
            {
                "module": 'module.m["a.b"].module.n[0]',
                "mode": "managed",
                "type": "t",
                "name": "r",
                "provider": 'provider["x/y/z"].west',
                "instances": [
                    {
                        "index_key": 'k"',
                        "attributes": {"id": "1", "list": [{"password": "s"}]},
                        "sensitive_attributes": [
                            [
                                {"type": "get_attr", "value": "list"},
                                {"type": "index", "value": {"value": 0, "type": "number"}},
                                {"type": "get_attr", "value": "password"},
                            ]
                        ],
                    },
                    {"index_key": "old", "deposed": "00000001", "attributes": {"id": "0"}},
                ],
            },
        ],
    }
    ((address, one),) = objects(json.dumps(state).encode()).items()
    assert spell_address(address) == 'module.m["a.b"].module.n[0].t.r["k\\""]'
    assert (one.identity, one.secret) == ("1", (("list", 0, "password"),))
    assert set(providers(json.dumps(state).encode())) == {'provider["x/y/z"].west'}


def test_no_state_has_no_objects_and_an_encrypted_one_is_refused() -> None:
    assert objects(b"") == {}
    with pytest.raises(UserError, match="encrypted by OpenTofu"):
        objects(b'{"serial": 1, "lineage": "l", "encrypted_data": "x"}')
