"""Payloads that are not what they claim, and GitHub's own examples."""

from __future__ import annotations

import contextlib
import copy
import json
import random
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.github import events
from tests.npm import package

NAMES = [
    "pull_request",
    "issue_comment",
    "pull_request_review",
    "push",
    "check_run",
    "merge_group",
    "installation",
    "installation_repositories",
]
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=10,
)


def sha(digit: str) -> str:
    return digit * 40


def small() -> dict[str, Any]:
    """The least that says something, for every event at once."""
    user = {"login": "ann", "type": "User"}
    repository = {
        "full_name": "Acme/Infra",
        "default_branch": "main",
        "clone_url": "https://example.com/acme/infra.git",
        "html_url": "https://example.com/acme/infra",
    }
    pull = {
        "number": 7,
        "title": "Two",
        "user": user,
        "state": "open",
        "html_url": "https://example.com/acme/infra/pull/7",
        "head": {"sha": sha("a"), "ref": "feature", "repo": repository},
        "base": {"sha": sha("b"), "ref": "main", "repo": repository},
    }
    return {
        "action": "created",
        "repository": repository,
        "sender": user,
        "pull_request": pull,
        "issue": {"number": 7, "pull_request": {}},
        "comment": {
            "id": 1,
            "node_id": "IC_1",
            "user": user,
            "body": "/plan",
            "html_url": "https://example.com/c",
            "created_at": "2026-01-31T09:00:00Z",
        },
        "review": {"id": 2, "user": user, "state": "APPROVED", "commit_id": sha("a")},
        "ref": "refs/heads/main",
        "before": sha("b"),
        "after": sha("a"),
        "check_run": {"id": 3, "name": "towpath/dev", "head_sha": sha("a"), "pull_requests": [{"number": 7}]},
        "requested_action": {"identifier": "apply"},
        "merge_group": {"head_sha": sha("c"), "base_ref": "refs/heads/main"},
        "repositories": [repository],
        "repositories_added": [repository],
    }


ACTIONS = {
    "pull_request": "opened",
    "issue_comment": "created",
    "pull_request_review": "submitted",
    "push": "",
    "check_run": "requested_action",
    "merge_group": "checks_requested",
    "installation": "created",
    "installation_repositories": "added",
}


@pytest.mark.parametrize(
    ("ref", "number"),
    [
        (f"refs/heads/gh-readonly-queue/main/pr-104-{sha('b')}", 104),
        (f"refs/heads/gh-readonly-queue/release/2.0/pr-9/pr-104-{sha('b')}", 104),
        ("refs/heads/gh-readonly-queue/main/pr-104", 0),
        (f"refs/heads/gh-readonly-queue/main/pr-0-{sha('b')}", 0),
        (f"refs/heads/main/pr-104-{sha('b')}", 0),
        (f"refs/heads/gh-readonly-queue/main/pr-{'9' * 30}-{sha('b')}", 0),
    ],
)
def test_a_groups_branch_names_its_last_pull_request(ref: str, number: int) -> None:
    payload = {**small(), "action": "checks_requested"}
    payload["merge_group"] = {**payload["merge_group"], "head_ref": ref}
    event = events.read("merge_group", payload)
    assert isinstance(event, events.MergeGroupEvent)
    assert event.number == number


@pytest.mark.parametrize("name", NAMES)
def test_the_least_is_enough(name: str) -> None:
    assert events.read(name, {**small(), "action": ACTIONS[name]}) is not None


@pytest.mark.parametrize("name", NAMES)
@settings(max_examples=60, deadline=None)
@given(payload=JSON)
def test_nonsense_is_malformed_or_nothing(name: str, payload: Any) -> None:
    with contextlib.suppress(events.Malformed):
        assert events.read(name, payload) is None


@pytest.mark.parametrize("name", NAMES)
@settings(max_examples=150, deadline=None)
@given(seed=st.integers(), junk=JSON | st.sampled_from(["\ud800", "a\0b", "../..", -1, 2**64, True]))
def test_one_wrong_value_never_breaks_the_reader(name: str, seed: int, junk: Any) -> None:
    payload: Any = {**copy.deepcopy(small()), "action": ACTIONS[name]}
    chance, node = random.Random(seed), payload
    while True:
        key = chance.choice(sorted(node) if isinstance(node, dict) else range(len(node)))
        inner = node[key]
        if not isinstance(inner, dict | list) or not inner or chance.random() < 0.3:
            break
        node = inner
    if chance.random() < 0.3 and isinstance(node, dict):
        del node[key]
    else:
        node[key] = junk
    try:
        event = events.read(name, payload)
    except events.Malformed:
        return
    if event is not None:
        assert "\0" not in repr(event).encode().decode()


@pytest.mark.parametrize(
    "bad",
    ["../..", "a/b/c", "acme/..", "acme", "acme/in fra", "/infra", "acme/", "acme/infra\n", "./x", "..\\x/y"],
)
def test_names_that_lead_elsewhere(bad: str) -> None:
    payload = small()
    payload["repository"]["full_name"] = bad
    with pytest.raises(events.Malformed):
        events.read("push", payload)


@pytest.mark.parametrize(
    "bad", ["", "main", "a" * 39, "-" * 40, "A" * 40, "a" * 40 + "\n", "--upload-pack=x"]
)
def test_what_is_no_commit(bad: str) -> None:
    with pytest.raises(events.Malformed):
        events.read("push", {**small(), "after": bad})


def test_what_is_read() -> None:
    event = events.read("check_run", {**small(), "action": "requested_action"})
    assert isinstance(event, events.CheckRunEvent)
    assert (event.identifier, event.pulls, event.repository.name) == ("apply", (7,), "acme/infra")
    left = events.read("installation", {**small(), "action": "deleted"})
    assert isinstance(left, events.InstallationEvent)
    assert (left.added, left.removed) == ((), ("acme/infra",))


def test_a_deleted_fork_and_a_deleted_user() -> None:
    payload: Any = {**small(), "action": "synchronize"}
    payload["pull_request"]["head"]["repo"] = None
    payload["pull_request"]["user"] = None
    event = events.read("pull_request", payload)
    assert isinstance(event, events.PullRequestEvent)
    assert event.pull.from_fork
    assert event.pull.author == "ghost"


@pytest.mark.parametrize("name", ["ping", "star", "", "pull_request_review_comment"])
def test_what_the_bot_does_not_know(name: str) -> None:
    assert events.read(name, {"anything": "goes"}) is None


@pytest.mark.parametrize("action", ["unlabeled", "locked", "something_new"])
def test_what_the_bot_does_not_act_on(action: str) -> None:
    assert events.read("pull_request", {"action": action}) is None


@pytest.mark.npm
def test_all_of_githubs_examples() -> None:
    """Every published example can be read; those of known events and actions give an event."""
    listed = json.loads((package("@octokit/webhooks-examples") / "api.github.com/index.json").read_text())
    read: dict[str, int] = {}
    for entry in listed:
        for example in entry["examples"]:
            event = events.read(entry["name"], example)
            if event is not None:
                read[entry["name"]] = read.get(entry["name"], 0) + 1
    assert read["issue_comment"] == 9
    assert read["pull_request"] >= 14
    assert read["push"] == 7
    assert set(read) == set(NAMES)
