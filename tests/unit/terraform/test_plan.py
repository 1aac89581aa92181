"""What a plan's JSON becomes, and that nothing sensitive gets through."""

from __future__ import annotations

import json
from typing import Any

import pytest

from bot.domain.plans import PlanSummary, read_plan


def resource(address: str, actions: list[str], **change: Any) -> dict[str, Any]:
    outer = {
        key: change.pop(key) for key in ("previous_address", "deposed", "action_reason") if key in change
    }
    return {
        "address": address,
        "type": address.split(".", 1)[0],
        "change": {"actions": actions, **change},
        **outer,
    }


def summary(*resources: dict[str, Any], **more: Any) -> PlanSummary:
    return read_plan({"resource_changes": list(resources), **more})


def lines(*resources: dict[str, Any]) -> list[str]:
    return [line for change in summary(*resources).changes for one in change.attributes for line in one.lines]


def test_counts_and_order() -> None:
    found = summary(
        resource("a.read", ["read"]),
        resource("a.kept", ["no-op"]),
        resource("a.new", ["create"]),
        resource("a.moved", ["no-op"], previous_address="a.old"),
        resource("a.imported", ["no-op"], importing={"id": "i-1"}),
        resource("a.both", ["update"], importing={"id": "i-2"}, previous_address="a.before"),
        resource("a.forgotten", ["forget"]),
        resource("a.again", ["create", "delete"], action_reason="replace_by_request"),
        resource("a.other", ["delete", "create"]),
        resource("a.gone", ["delete"]),
    )
    assert [change.address for change in found.changes] == [
        "a.gone",
        "a.again",
        "a.other",
        "a.both",
        "a.new",
        "a.imported",
        "a.moved",
        "a.forgotten",
        "a.read",
    ]
    assert [change.symbol for change in found.changes] == ["-", "+/-", "-/+", "~", "+", "&", ">", ".", "<="]
    assert (found.add, found.change, found.destroy, found.replace) == (3, 1, 3, 2)
    assert (found.imports, found.move, found.forget) == (2, 2, 1)
    assert found.headline == "2 to import, 2 to move, 1 to forget, 3 to add, 1 to change, 3 to destroy"
    assert not found.empty
    assert found.changes[3].lines[0] == '~ a.both (moved from a.before) (import "i-2")'


def test_every_field_of_a_change() -> None:
    change = summary(
        resource("dns.www", ["create", "delete"], action_reason="replace_by_request", deposed="1a2b3c4d")
    ).changes[0]
    assert (change.address, change.type) == ("dns.www (deposed 1a2b3c4d)", "dns")
    assert (change.action, change.reason, change.create_first) == ("replace", "replace_by_request", True)
    assert (change.previous_address, change.import_id) == ("", "")


def test_fields_that_terraform_left_out() -> None:
    (change,) = read_plan(
        {"resource_changes": [{"address": "dns.www", "change": {"actions": ["delete"]}}]}
    ).changes
    assert (change.address, change.type, change.action, change.reason) == ("dns.www", "", "delete", "")


def test_an_import_whose_id_is_known_after_apply() -> None:
    (change,) = summary(resource("dns.www", ["no-op"], importing={"unknown": True})).changes
    assert (change.action, change.import_id) == ("import", "(unknown)")


def test_nothing_to_do() -> None:
    assert summary(resource("a.kept", ["no-op"])).empty
    assert summary(resource("a.read", ["read"])).headline == "no changes"
    assert not summary(output_changes={"url": {"actions": ["create"], "after": "x"}}).empty


def test_an_action_that_is_not_known_is_no_silence() -> None:
    with pytest.raises(ValueError, match="unknown action"):
        summary(resource("a.b", ["explode"]))


def test_attributes_as_terraform_writes_them() -> None:
    change = resource(
        "a.b",
        ["delete", "create"],
        before={
            "name": "x",
            "size": 1,
            "tags": {"env": "dev", "a b": "1"},
            "ports": [1, 2],
            "id": "i",
            "gone": True,
        },
        after={"name": "y", "size": 1, "tags": {"env": "prod", "a b": "2"}, "ports": [1, 3], "new": None},
        after_unknown={"id": True},
        replace_paths=[["name"]],
    )
    assert lines(change) == [
        "- gone = true",
        '~ id = "i" -> (known after apply)',
        '~ name = "x" -> "y"  # forces replacement',
        "~ ports = [1, 2] -> [1, 3]",
        '~ tags["a b"] = "1" -> "2"',
        '~ tags.env = "dev" -> "prod"',
    ]


def test_blocks_in_lists() -> None:
    change = resource(
        "a.b",
        ["update"],
        before={"rule": [{"port": 80, "from": ["a"]}]},
        after={"rule": [{"port": 81, "from": ["a"]}, {"port": 443, "from": []}]},
        after_unknown={"rule": [{}, {"id": True}]},
        replace_paths=[["rule", 0, "port"]],
    )
    assert lines(change) == [
        "~ rule[0].port = 80 -> 81  # forces replacement",
        "+ rule[1].from = []",
        "+ rule[1].id = (known after apply)",
        "+ rule[1].port = 443",
    ]


@pytest.mark.parametrize(
    ("before_sensitive", "after_sensitive"),
    [
        ({"data": True}, {"data": True}),
        ({"data": {"key": True}}, {"data": {"key": True}}),
        (False, {"data": {"key": True}}),
        ({"data": {"key": True}}, False),
        (True, {}),
        ({}, True),
    ],
)
def test_sensitive_values_are_masked_on_both_sides(before_sensitive: Any, after_sensitive: Any) -> None:
    found = summary(
        resource(
            "a.b",
            ["update"],
            before={"data": {"key": "hush-old", "plain": "p"}},
            after={"data": {"key": "hush-new", "plain": "q"}},
            before_sensitive=before_sensitive,
            after_sensitive=after_sensitive,
        ),
    )
    text = json.dumps(found.to_dict())
    assert "hush" not in text
    assert "(sensitive value)" in text


def test_sensitive_parts_of_lists_and_outputs() -> None:
    found = summary(
        resource(
            "a.b",
            ["create"],
            before=None,
            after={"list": ["open", "hush"], "rules": [{"p": "hush"}], "odd": {"a": ["hush"]}},
            after_sensitive={"list": [False, True], "rules": [{"p": True}], "odd": {"a": [True]}},
            after_unknown={"id": True},
        ),
        output_changes={
            "kubeconfig": {
                "actions": ["update"],
                "before": "hush",
                "after": "hush 2",
                "after_sensitive": True,
            },
            "url": {"actions": ["create"], "before": None, "after_unknown": True},
            "same": {"actions": ["no-op"], "before": 1, "after": 1},
            "gone": {"actions": ["delete"], "before": {"a": 1}, "after": None},
        },
    )
    assert "hush" not in json.dumps(found.to_dict())
    assert [line for change in found.changes for line in change.lines] == [
        "+ a.b",
        "    + id = (known after apply)",
        '    + list = ["open", (sensitive value)]',
        "    + odd.a = [(sensitive value)]",
        "    + rules[0].p = (sensitive value)",
    ]
    assert [line for output in found.outputs for line in output.lines] == [
        "- gone = {a = 1}",
        "~ kubeconfig = (sensitive value)",
        "+ url = (known after apply)",
    ]


def test_there_and_back_again() -> None:
    found = summary(
        resource("a.b", ["update"], before={"x": "1"}, after={"x": "2"}),
        resource("a.c", ["create"], before=None, after={"x": "1"}),
        resource_drift=[resource("a.c", ["delete"], before={"x": "1"}, after=None)],
        output_changes={"o": {"actions": ["update"], "before": 1, "after": 2}},
        terraform_version="1.11.4",
    )
    stored = json.loads(json.dumps(found.to_dict()))
    assert PlanSummary.from_dict(stored) == found
    assert PlanSummary.from_dict(stored | {"of_a_later_version": 1}) == found
    assert found.drift[0].attributes[0].lines == ('- x = "1"',)


def test_long_values_are_folded_and_complete() -> None:
    found = lines(resource("a.b", ["create"], before=None, after={"x": "y" * 10_000}))
    assert max(map(len, found)) <= 240
    assert sum(line.count("y") for line in found) == 10_000
    assert all(line.startswith("+ ↳ y") for line in found[1:])


def test_a_summary_counts_what_it_leaves_out() -> None:
    text = "".join(f"line {number}\n" for number in range(100))
    full = summary(resource("a.b", ["create"], before=None, after={"x": text}))
    (change,) = full.abridged(3).changes
    assert len(change.attributes[0].lines) == 31
    assert change.attributes[0].lines[-1].strip() == "… 72 more changed lines"
    assert change.changed == full.changes[0].changed == 103
    assert full.abridged(3).pages == 3


@pytest.mark.parametrize(
    "shown",
    [
        "s3cr<et>-word",
        "before s3cr<et>-word after",
        "czNjcjxldD4td29yZA==",
        r'{"x":"s3cr\u003cet\u003e-word"}',
        "s3cr%3Cet%3E-word",
        "ghp_" + "a" * 36,
        {"s3cr<et>-word": 1},
    ],
)
def test_secrets_that_nothing_marks_are_hidden_in_every_form(shown: Any) -> None:
    """In outputs, attributes, addresses and keys, whatever wrote them."""
    change = {"actions": ["update"], "before": {"a": "x"}, "after": {"a": shown}, "after_unknown": {}}
    entry = {"address": f"a.b[{json.dumps(shown)}]", "type": "a", "change": change}
    output = {"actions": ["create"], "before": None, "after": shown, "after_unknown": False}
    plan = {"resource_changes": [entry], "resource_drift": [entry], "output_changes": {"o": output}}
    said = json.dumps(read_plan(plan, ["s3cr<et>-word"]).to_dict())
    for part in ("s3cr", "czNj", "ghp_a", "et>"):
        assert part not in said
    assert said.count("***") >= 5


def test_a_secret_that_changes_is_still_a_change() -> None:
    old, new = "ghp_" + "a" * 36, "ghp_" + "b" * 36
    change = {"actions": ["update"], "before": {"a": old}, "after": {"a": new}, "after_unknown": {}}
    plan = {"resource_changes": [{"address": "a.b", "type": "a", "change": change}]}
    assert [one.lines for one in read_plan(plan).changes[0].attributes] == [('~ a = "***"',)]
