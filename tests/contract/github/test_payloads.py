"""The stand-in's webhooks have every key that GitHub's published examples of the same event have in common."""

from __future__ import annotations

import json
from contextlib import closing
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from bot.domain.ports.forge import CheckRun
from bot.playground.github.records import Hook
from tests.integration.github.world import REPO, make
from tests.npm import package

pytestmark = pytest.mark.npm

EVENTS = frozenset(["issue_comment", "pull_request", "pull_request_review", "check_run", "push"])


@cache
def examples() -> dict[str, list[Any]]:
    index = package("@octokit/webhooks-examples") / "api.github.com" / "index.json"
    return {entry["name"]: entry["examples"] for entry in json.loads(index.read_text())}


def missing(ours: Any, theirs: list[Any], where: str) -> list[str]:
    """Paths that all examples have and ours has not, or has as another kind of thing.

    Null may stand for anything: which of the values may be null, examples cannot say.
    """
    known = [one for one in theirs if one is not None]
    if ours is None or not known:
        return []
    if not isinstance(ours, dict) or not all(isinstance(one, dict) for one in known):
        kinds = {type(one) for one in known}
        return [] if type(ours) in kinds else [f"{where} is {type(ours)}, not {kinds}"]
    found = []
    for key in set.intersection(*(set(one) for one in known)) - {"permissions"}:
        path = f"{where}.{key}"
        found += missing(ours[key], [one[key] for one in known], path) if key in ours else [path]
    return found


def test_webhooks_have_githubs_shape(tmp_path: Path) -> None:
    with closing(make(tmp_path / "git")) as world:
        hub, number = world.hub, world.number
        world.app.hook = Hook(hub.state.next_id(), "http://127.0.0.1:9/", "s", EVENTS)
        comment = hub.comment(REPO, number, author="ann", body="/plan")
        hub.edit_comment(comment, actor="ann", body="/plan dev")
        hub.delete_comment(comment, actor="ann")
        sha = hub.commit_files(REPO, "feature", {"a": "b"}, author="ann", message="More")
        review = hub.review(REPO, number, author="bob", state="APPROVED")
        hub.edit_review(REPO, number, review, actor="bob", body="Fine")
        hub.dismiss_review(REPO, number, review, actor="carol")
        check = world.forge.check(REPO, CheckRun("towpath/dev", sha, "completed", "success", "Done", "…")).id
        hub.state.checks[check].actions = [
            {"label": "Apply", "description": "Apply it", "identifier": "apply"}
        ]
        hub.click_check(check, actor="ann", identifier="apply")
        hub.set_draft(REPO, number, actor="ann", draft=True)
        hub.set_draft(REPO, number, actor="ann", draft=False)
        hub.merge_pull(REPO, number, actor="bob")
        assert hub.webhooks.drain()
        log = list(hub.webhooks.log)
    assert {one.event for one in log} == EVENTS
    wrong = []
    for one in log:
        similar = [e for e in examples()[one.event] if e.get("action") == one.action] or examples()[one.event]
        for example in similar:
            example.pop("installation", None)
            example.pop("organization", None)
        wrong += missing(json.loads(one.body), similar, f"{one.event} {one.action or ''}")
    assert not wrong, "\n".join(sorted(set(wrong)))
    assert all(one.status_code == 0 for one in log)
