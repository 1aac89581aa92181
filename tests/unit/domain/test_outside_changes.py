"""Which changes outside Terraform matter: those that a plan acts on, without what a provider filled in late."""

from __future__ import annotations

from typing import Any

from bot.domain.plans import read_plan, settled_values, split_outside, without_settled_outputs

CREATED = {"id": "1", "tags": None, "count": 0, "ingress": None, "size": "m"}
LATE = CREATED | {"tags": {}, "count": 1, "ingress": ["10.0.0.0/8"]}


def entry(before: Any, after: Any, *actions: str, address: str = "thing.web", **more: Any) -> dict[str, Any]:
    change = {"actions": list(actions or ("update",)), "before": before, "after": after, "after_unknown": {}}
    return {"address": address, "type": "thing", "change": change | more}


def plan(*changes: dict[str, Any], **more: Any) -> dict[str, Any]:
    return {"resource_changes": list(changes), **more}


def paths(entries: list[Any]) -> list[str]:
    summary = read_plan({"resource_changes": entries})
    return [item.path for change in summary.changes for item in change.attributes]


def split(
    drift: dict[str, Any], planned: dict[str, Any], settled: dict[str, str] | None = None
) -> tuple[list[str], list[str]]:
    acted, ignored = split_outside([drift], planned, settled)
    return paths(acted), paths(ignored)


def test_late_values() -> None:
    """No plan acts on them; the baseline knows them; nothing and empty are the same."""
    late = entry(CREATED, LATE)
    assert split(late, plan(entry(LATE, LATE, "no-op"))) == ([], ["count", "ingress"])
    settled = settled_values({"resource_drift": [late]})
    assert split(late, plan(entry(LATE, LATE, "no-op")), settled) == ([], [])


def test_what_a_plan_changes_back() -> None:
    """Also if the first refresh after the apply saw it already."""
    resized = LATE | {"size": "xl"}
    drift, back = entry(CREATED, resized), entry(resized, LATE)
    assert split(drift, plan(back)) == (["size"], ["count", "ingress"])
    assert split(drift, plan(back), settled_values({"resource_drift": [drift]})) == (["size"], [])


def test_what_another_change_follows_from() -> None:
    """It counts once it is known not to be the provider's own work. Instances belong to the resource that is named."""
    drift = entry(CREATED, LATE, address='thing.web["a"]')
    other = entry({"n": 0}, {"n": 1}, address="thing.other")
    planned = plan(other, relevant_attributes=[{"resource": "thing.web", "attribute": ["count"]}])
    assert split(drift, planned)[0] == []
    assert split(drift, planned, {})[0] == ["count"]
    assert split(drift, planned, settled_values({"resource_drift": [drift]}))[0] == []
    nothing = plan(relevant_attributes=[{"resource": "thing.web", "attribute": ["count"]}])
    assert split(drift, nothing, {})[0] == []


def test_what_is_known_only_after_apply_says_nothing() -> None:
    """A provider marks what it computes as unknown in every update; a replacement gives up all that it had filled in."""
    late = entry(CREATED, LATE)
    update = entry(LATE, LATE | {"count": None, "size": "l"}, after_unknown={"count": True})
    assert split(late, plan(update))[0] == []
    anew = entry(LATE, {"size": "l"}, "delete", "create", after_unknown={"id": True, "count": True})
    settled = settled_values({"resource_drift": [late]})
    assert split(late, plan(anew), settled)[0] == []
    assert split(late, plan(entry(LATE, None, "delete")))[0] == []


def test_what_is_gone() -> None:
    """Shown if the plan makes it again, or if something refers to it."""
    gone = entry(LATE, None, "delete")
    assert split(gone, plan(entry(None, LATE, "create")))[0] == ["count", "id", "ingress", "size", "tags"]
    assert split(gone, plan())[0] == []


def test_nested_values() -> None:
    """By key in a map; a list as a whole, since the order of a set means nothing."""
    one, two = {"tags": {"a": "1", "b": "2"}}, {"tags": {"a": "9", "b": "9"}}
    back = entry(two, {"tags": {"a": "1", "b": "9"}})
    assert split(entry(one, two), plan(back)) == (["tags.a"], ["tags.b"])
    rules, more = {"rules": [{"port": 1}]}, {"rules": [{"port": 0}, {"port": 1}]}
    assert split(entry(rules, more), plan(entry(more, rules)))[1] == []


def test_sensitive_values_are_not_kept() -> None:
    drift = entry({"a": "1", "b": "1"}, {"a": "2", "b": "2"}, after_sensitive={"a": True})
    outputs = {"secret": {"actions": ["update"], "before": 1, "after": 2, "after_sensitive": True}}
    assert len(settled_values({"resource_drift": [drift], "output_changes": outputs})) == 1


def test_outputs_that_follow_from_late_values() -> None:
    output = {"actions": ["update"], "before": 0, "after": 1}
    settled = settled_values({"output_changes": {"attached": output}})
    planned = plan(output_changes={"attached": output, "other": output})
    assert list(without_settled_outputs(planned, settled)["output_changes"]) == ["other"]
    later = plan(output_changes={"attached": output | {"after": 2}})
    assert list(without_settled_outputs(later, settled)["output_changes"]) == ["attached"]
