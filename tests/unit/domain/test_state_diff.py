"""Two states compared: what differs is told, and nothing secret is in it."""

from __future__ import annotations

import json
from dataclasses import asdict
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.domain.plans import SENSITIVE
from bot.domain.states.diff import diff_states

SECRET = "hunter2-hunter2"


def resource(name: str = "web", kind: str = "x_server", key: object = None, **more: Any) -> dict[str, Any]:
    instance = {"schema_version": 0, "attributes": more.pop("attributes", {}), **more.pop("instance", {})}
    if key is not None:
        instance["index_key"] = key
    return {"mode": "managed", "type": kind, "name": name, "provider": "p", "instances": [instance], **more}


def state(*resources: dict[str, Any], **outputs: Any) -> bytes:
    return json.dumps(
        {
            "version": 4,
            "serial": 1,
            "lineage": "l",
            "outputs": outputs,
            "resources": list(resources),
        }
    ).encode()


def lines(before: bytes, after: bytes, hidden: tuple[str, ...] = ()) -> list[str]:
    found = diff_states(before, after, hidden)
    return [line for change in found.changes for line in change.lines] + [
        line for output in found.outputs for line in output.lines
    ]


def test_added_removed_and_changed() -> None:
    before = state(
        resource("old", attributes={"id": "1"}),
        resource("same", attributes={"id": "2"}),
        resource(
            "web", key=0, attributes={"id": "3", "tags": {"env": "a"}, "ports": [{"from": 1}, {"from": 2}]}
        ),
        url={"value": "http://a", "type": "string"},
        gone={"value": 1},
    )
    after = state(
        resource("same", attributes={"id": "2"}),
        resource(
            "web", key=0, attributes={"id": "3", "tags": {"env": "b"}, "ports": [{"from": 1}, {"from": 3}]}
        ),
        resource("web", key="x", attributes={"id": "4"}, module="module.net[0]"),
        url={"value": "http://b", "type": "string"},
    )
    assert lines(before, after) == [
        '+ module.net[0].x_server.web["x"]',
        '    + id = "4"',
        "- x_server.old",
        '    - id = "1"',
        "~ x_server.web[0]",
        "    ~ ports[1].from = 2 -> 3",
        '    ~ tags.env = "a" -> "b"',
        "- gone = 1",
        '~ url = "http://a" -> "http://b"',
    ]
    assert diff_states(before, after).headline == "1 added, 1 changed, 1 removed, 2 outputs changed"
    assert diff_states(before, before).empty
    assert diff_states(before, before).headline == "no difference"


def test_what_is_not_ours_does_not_count() -> None:
    data = resource("read", attributes={"id": "1"}, mode="data")
    other = resource("read", attributes={"id": "2"}, mode="data")
    book = resource(instance={"private": "a", "dependencies": ["x"], "schema_version": 1})
    assert diff_states(state(data, resource()), state(other, book)).empty


def test_deposed_objects_have_a_name_of_their_own() -> None:
    (change,) = diff_states(b"", state(resource(instance={"deposed": "ab12"}))).changes
    assert change.address == "x_server.web (deposed ab12)"


def test_an_empty_state_has_nothing() -> None:
    assert lines(b"", state(resource(attributes={"id": None, "size": 1}))) == [
        "+ x_server.web",
        "    + size = 1",
    ]
    assert diff_states(b"", b"").empty


def attr(name: str) -> dict[str, str]:
    return {"type": "get_attr", "value": name}


def index(value: object) -> dict[str, object]:
    kind = "number" if isinstance(value, int | float) else "string"
    return {"type": "index", "value": {"value": value, "type": kind}}


@pytest.mark.parametrize(
    ("attributes", "path"),
    [
        ({"x": SECRET}, [attr("x")]),
        ({"x": {"y": SECRET}}, [attr("x"), attr("y")]),
        ({"x": [{"y": SECRET}]}, [attr("x"), index(0), attr("y")]),
        ({"x": [{"y": SECRET}]}, [attr("x"), index(0.0), attr("y")]),
        ({"x": ["a", SECRET]}, [attr("x"), index(1)]),
        ({"x": {"k-1": SECRET}}, [attr("x"), index("k-1")]),
        ({"x": [{"y": SECRET}]}, [attr("x"), {"type": "odd"}, attr("y")]),
        ({"x": SECRET}, []),
        ({"x": SECRET}, "odd"),
    ],
)
@pytest.mark.parametrize("side", ["before", "after", "both", "new", "gone"])
def test_what_is_marked_is_masked_on_both_sides(attributes: Any, path: Any, side: str) -> None:
    marked = resource(attributes=attributes, instance={"sensitive_attributes": [path]})
    plain = resource(attributes={"x": "plain"})
    before = {"before": state(marked), "after": state(plain), "both": state(marked), "new": b""}
    after = {"before": state(plain), "after": state(marked), "new": state(marked), "gone": b""}
    other = json.loads(json.dumps(marked).replace(SECRET, SECRET + "-2"))
    told = lines(before.get(side, state(marked)), after.get(side, state(other)))
    assert told
    assert SECRET not in "\n".join(told)
    assert SENSITIVE in "\n".join(told)


@pytest.mark.parametrize(
    "attributes",
    [
        {"password": SECRET},
        {"db": {"master_password": SECRET}},
        {"list": [{"client_secret": SECRET}]},
        {"private_key_pem": SECRET},
        {"tokens": [SECRET]},
        {"kubeconfig": SECRET},
        {"dsn": f"u:{SECRET}"},
        {"url": f"postgres://ann:{SECRET}@db/x"},
        {"text": f"-----BEGIN RSA PRIVATE KEY-----\n{SECRET}"},
    ],
)
def test_what_is_called_like_a_secret_is_masked(attributes: Any) -> None:
    before = state(resource(attributes=attributes), out={"value": attributes})
    after = state(
        resource(attributes=json.loads(json.dumps(attributes).replace(SECRET, f"{SECRET}2"))),
        out={"value": json.loads(json.dumps(attributes).replace(SECRET, f"{SECRET}2"))},
    )
    told = "\n".join(lines(before, after))
    assert "hunter2" not in told
    assert SENSITIVE in told


def test_numbers_and_flags_are_no_secrets() -> None:
    before = state(resource(attributes={"token_ttl": 1, "password_set": False}))
    after = state(resource(attributes={"token_ttl": 2, "password_set": True}))
    assert lines(before, after)[1:] == ["    ~ password_set = false -> true", "    ~ token_ttl = 1 -> 2"]


def test_sensitive_outputs_are_masked() -> None:
    before = state(a={"value": {"b": SECRET}, "sensitive": True})
    assert lines(before, state(a={"value": "x"})) == [f"~ a = {SENSITIVE}"]
    assert lines(state(), before) == [f"+ a = {SENSITIVE}"]


def test_known_secrets_are_masked_wherever_they_stand() -> None:
    before = state(resource(attributes={"script": "x", "long": ""}), key={"value": SECRET, "sensitive": True})
    after = state(
        resource(attributes={"script": f"export KEY={SECRET}", "long": "y" * 490 + SECRET + 'q"uo'}),
        key={"value": SECRET, "sensitive": True},
    )
    told = "\n".join(lines(before, after, ('q"uo',)))
    assert "export KEY=***" in told
    assert "hunter" not in told
    assert 'q\\"uo' not in told


@pytest.mark.parametrize(
    "broken", [b"{", b"[]", b"3", b'{"version": 3}', b'{"serial": 1, "lineage": "l", "encrypted_data": "x"}']
)
def test_what_cannot_be_looked_into(broken: bytes) -> None:
    with pytest.raises(ValueError, match=r"^(it is no|OpenTofu)"):
        diff_states(broken, state())


values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=3),
    max_leaves=8,
)
attributes = st.dictionaries(st.text(max_size=4), values, max_size=4)


@given(attributes, attributes)
def test_any_attributes_compare(before: Any, after: Any) -> None:
    found = diff_states(state(resource(attributes=before)), state(resource(attributes=after)))
    json.dumps(asdict(found))
    if before == after:
        assert found.empty
