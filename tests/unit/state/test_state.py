"""Reading states and locks, and which state may follow which."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.domain.states.model import LockInfo, StateInfo
from tests.contract.state_store import state


def test_reads_what_a_state_says() -> None:
    resources = [
        {"mode": "managed", "type": "terraform_data", "instances": [{}, {}]},
        {"mode": "data", "type": "x", "instances": [{}]},
        {"mode": "managed", "type": "y", "instances": []},
    ]
    data = state(7, resources=resources, outputs={"a": {}, "b": {}})
    info = StateInfo.parse(data)
    assert (info.serial, info.lineage, info.resources, info.outputs) == (7, "one", 2, 2)
    assert (info.terraform_version, info.size) == ("1.11.4", len(data))


def test_reads_an_encrypted_state() -> None:
    data = json.dumps({"serial": 3, "lineage": "one", "meta": {}, "encrypted_data": "xx"}).encode()
    assert StateInfo.parse(data).resources == 0


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"{}",
        b"[]",
        b"null",
        b"<html>",
        b"\xff\xfe",
        b'{"serial": 1}',
        b'{"serial": true, "lineage": "x"}',
        b'{"serial": -1, "lineage": "x"}',
        b'{"serial": "1", "lineage": "x"}',
        b'{"serial": 1, "lineage": ""}',
        b"[" * 100_000,
    ],
)
def test_refuses_what_is_no_state(data: bytes) -> None:
    with pytest.raises(ValueError, match="not a Terraform state"):
        StateInfo.parse(data)


@given(
    st.recursive(st.none() | st.integers() | st.text(), lambda s: st.lists(s) | st.dictionaries(st.text(), s))
)
def test_odd_resources_are_no_matter(odd: object) -> None:
    assert StateInfo.parse(state(1, resources=odd, outputs=odd)).serial == 1


def test_a_lock_survives_the_round() -> None:
    told = {
        "ID": "4b1c",
        "Operation": "OperationTypeApply",
        "Info": "",
        "Who": "ann@host",
        "Version": "1.11.4",
        "Created": "2026-11-23T10:00:00Z",
        "Path": "",
    }
    assert json.loads(LockInfo.parse(json.dumps(told).encode()).dump()) == told


@pytest.mark.parametrize("data", [b"", b"{}", b'{"ID": ""}', b'{"ID": 3}', b"x"])
def test_refuses_what_is_no_lock(data: bytes) -> None:
    with pytest.raises(ValueError, match="not a lock"):
        LockInfo.parse(data)
