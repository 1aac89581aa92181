"""What going back means, and the proof afterwards."""

from __future__ import annotations

import json
from typing import Any

import pytest

from bot.domain.plans import SENSITIVE, UNKNOWN, Action, AttributeChange, PlanSummary, ResourceChange
from bot.domain.reverts import Kind, classify, compare_with_release


def state(outputs: dict[str, Any] | None = None, **things: dict[str, Any]) -> bytes:
    """Name → attributes; `password` is sensitive."""
    resources = [
        {
            "mode": "managed",
            "type": "t",
            "name": name,
            "provider": 'provider["x/y/z"]',
            "instances": [
                {
                    "attributes": attributes,
                    "sensitive_attributes": [[{"type": "get_attr", "value": "password"}]],
                }
            ],
        }
        for name, attributes in things.items()
    ]
    return json.dumps({"version": 4, "outputs": outputs or {}, "resources": resources}).encode()


def plan(*changes: tuple[Action, str], **more: Any) -> PlanSummary:
    return PlanSummary(changes=tuple(ResourceChange(name, "t", action) for action, name in changes), **more)


@pytest.mark.parametrize(
    ("action", "kind"),
    [
        ("update", "in_place"),
        ("replace", "replace"),
        ("delete", "destroy"),
        ("create", "create"),
        ("move", "rename"),
        ("forget", "forget"),
        ("import", "import"),
        ("read", "read"),
    ],
)
def test_each_action_has_its_class(action: Action, kind: Kind) -> None:
    (found,) = classify(plan((action, "t.x")), state()).actions
    assert found.kind == kind


def test_what_was_there_comes_back_empty_unless_it_still_exists_elsewhere() -> None:
    summary = plan(("create", "t.x"), ("create", "t.y"), ("create", "t.z"))
    classes = classify(summary, state(x={"id": "1"}, y={"id": "2"}), outside=["t.y"])
    assert [one.address for one in classes.of("recreate_empty")] == ["t.x"]
    assert classes.count("create") == 2
    assert (classes.losses, classes.loses) == (0, True)


def test_a_state_that_cannot_be_read_makes_every_creation_a_loss() -> None:
    for unreadable in (b"", b'{"encrypted_data": "x"}'):
        assert classify(plan(("create", "t.x")), unreadable).count("recreate_empty") == 1


def test_differences_are_listed_and_secrets_are_not() -> None:
    then = state(
        {"o": {"value": "a"}, "s": {"value": "hush-1", "sensitive": True}},
        x={"id": "1", "size": "s", "tags": {"a": "1", "b": "2"}, "password": "hush-2"},
        gone={"id": "2"},
        same={"id": "3"},
    )
    now = state(
        {"o": {"value": "b"}, "s": {"value": "hush-3", "sensitive": True}},
        x={"id": "1", "size": "m", "tags": {"a": "1", "b": "3"}, "password": "hush-4"},
        more={"id": "4"},
        same={"id": "3"},
    )
    proof = compare_with_release(then, now, PlanSummary())
    assert (proof.unchanged, proof.recreated, proof.matches) == (1, (), False)
    assert [(one.kind, one.address) for one in proof.differences] == [
        ("missing", "t.gone"),
        ("extra", "t.more"),
        ("changed", "t.x"),
        ("output", "o"),
        ("output", "s"),
    ]
    assert [line for one in proof.differences[2].attributes for line in one.lines] == [
        f"~ password = {SENSITIVE}",
        '~ size = "s" -> "m"',
        '~ tags.b = "2" -> "3"',
    ]
    assert "hush" not in repr(proof)


def test_a_new_identity_is_no_difference_and_a_configured_attribute_is() -> None:
    anew = ResourceChange(
        "t.x",
        "t",
        "create",
        (
            AttributeChange("ip", "", UNKNOWN),
            AttributeChange("size", "", '"s"'),
            AttributeChange("id", "", UNKNOWN),
        ),
    )
    follower = ResourceChange("t.y", "t", "update", (AttributeChange("value", '"9"', UNKNOWN),))
    summary = PlanSummary(changes=(anew, follower), outputs=(AttributeChange("ip", '"1"', UNKNOWN),))
    then = state(
        {"ip": {"value": "1"}}, x={"id": "1", "ip": "1", "size": "s"}, y={"id": "2", "value": "1", "ttl": 1}
    )
    now = state(
        {"ip": {"value": "5"}}, x={"id": "5", "ip": "5", "size": "s"}, y={"id": "2", "value": "5", "ttl": 1}
    )
    proof = compare_with_release(then, now, summary)
    assert (proof.matches, proof.recreated, proof.unchanged) == (True, ("t.x",), 1)
    other = state(
        {"ip": {"value": "5"}}, x={"id": "5", "ip": "5", "size": "m"}, y={"id": "2", "value": "5", "ttl": 2}
    )
    assert [
        (one.address, [attribute.path for attribute in one.attributes])
        for one in compare_with_release(then, other, summary).differences
    ] == [("t.x", ["size"]), ("t.y", ["ttl"])]
