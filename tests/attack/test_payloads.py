"""Make GitHub's own payloads count twice, or say what GitHub does not."""

from __future__ import annotations

import hashlib
import hmac
import json
import uuid
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import httpx
import pytest

from bot.playground.bot_process import BotProcess, free_port
from bot.playground.world import World, until
from tests.fixtures.world import MakeWorld
from tests.story.holds import Holds
from tests.story.story import POLICY, Story

TIMES = 12


def send(world: World, event: str, payload: Mapping[str, Any]) -> int:
    """Deliver a payload, rightly signed, under a new delivery id."""
    body = json.dumps(payload).encode()
    key = world.environment()["TOWPATH_GITHUB_WEBHOOK_SECRET"].encode()
    headers = {
        "Content-Type": "application/json",
        "X-GitHub-Event": event,
        "X-GitHub-Delivery": str(uuid.uuid4()),
        "X-Hub-Signature-256": "sha256=" + hmac.new(key, body, hashlib.sha256).hexdigest(),
    }
    url = f"{world.bot.url}/github/webhook"
    return httpx.post(url, content=body, headers=headers, timeout=30, trust_env=False).status_code


def comment_payload(story: Story, text: str) -> dict[str, Any]:
    """The newest payload of a comment with this text in the story's repository."""
    story.github.webhooks.drain()
    for one in reversed(story.github.webhooks.log):
        payload = json.loads(one.body)
        if one.event != "issue_comment" or payload["repository"]["full_name"].lower() != story.repository:
            continue
        if payload["comment"]["body"] == text:
            return dict(payload)
    raise AssertionError(f"nobody said {text}")


def with_default_branch(payload: Mapping[str, Any], branch: str) -> dict[str, Any]:
    return {**payload, "repository": {**payload["repository"], "default_branch": branch}}


def default_branch(story: Story) -> str:
    with story.tables() as tables:
        row = tables.pulls.repository(story.repository)
    assert row is not None
    return row.default_branch


@pytest.mark.own_world
def test_a_comment_under_other_delivery_ids(make_world: MakeWorld, holds: Holds, both_url: str) -> None:
    """The same comment, a dozen times at once, each time as another delivery; with two workers where there can be two."""
    world = make_world(database_url=both_url)
    if both_url:
        environment = world.environment(
            port=free_port(), TOWPATH_PUBLIC_URL=world.bot.url, TOWPATH_WORKER_NAME="second"
        )
        world.bots.append(
            BotProcess(environment, world.directory / "second.log", port=0, arguments=("worker",))
        )
        world.bots[1].start()
    story = Story(world, holds=holds)
    number = story.propose()
    story.planned(number)
    story.reacted(number, story.say(number, "/plan staging"), "+1")
    payload = comment_payload(story, "/plan staging")
    with ThreadPoolExecutor(TIMES) as pool:
        codes = list(pool.map(lambda _time: send(world, "issue_comment", payload), range(TIMES)))
    assert set(codes) == {202}
    story.reacted(
        number, story.say(number, "/lock staging"), "+1"
    )  # deliveries of a pull request are handled in order
    assert len(story.runs("plan")) == 2
    story.is_sound()


def test_another_default_branch_with_a_policy_of_its_own(story: Story) -> None:
    """Somebody who may push branches has another policy on one, and a payload names that as the default branch."""
    number = story.propose()
    story.planned(number)
    story.push({"envs/environments.toml": 'branches = ["main"]\n' + POLICY + "[env.lax]\n"}, "eve/policy")
    story.say(number, "/status")
    story.github.webhooks.drain()
    claim = with_default_branch(comment_payload(story, "/status"), "eve/policy")
    claim["comment"] = {**claim["comment"], "id": 987_654_321, "body": "/plan lax"}
    assert send(story.world, "issue_comment", claim) == 202
    until(
        lambda: "lax" in str(story.answers(number)[1:]) or len(story.runs("plan")) > 1,
        what="a refusal, or a plan",
    )
    assert {run.target.environment for run in story.runs("plan")} == {"staging"}
    assert default_branch(story) == "main"


def test_a_renamed_default_branch(story: Story) -> None:
    """What GitHub's API says is followed, and an old payload that arrives later changes nothing."""
    number = story.propose()
    story.planned(number)
    story.reacted(number, story.say(number, "/status"), "+1")
    old = comment_payload(story, "/status")
    repo = story.github.state.repo(story.repository)
    story.push({"README.md": "hello"}, "trunk")
    repo.default_branch = "trunk"
    story.say(number, "/status")
    until(lambda: default_branch(story) == "trunk", what="the new default branch")
    story.reacted(number, story.say(number, "/history staging"), "+1")
    late = {**old, "comment": {**old["comment"], "id": 987_654_322, "body": "/artifact staging"}}
    assert send(story.world, "issue_comment", late) == 202
    until(lambda: "has no artifacts" in str(story.answers(number)), what="the answer to what came late")
    assert default_branch(story) == "trunk"
