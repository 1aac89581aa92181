"""Every request that the adapter sends has only parameters which slack_sdk documents for that method."""

from __future__ import annotations

import inspect
from collections.abc import Iterator

import pytest
from slack_sdk import WebClient

from bot.playground.slack import SlackStandIn
from bot.playground.slack.methods import METHODS
from bot.slack.chat import Slack
from bot.slack.manifest import EVENTS, SCOPES, manifest
from tests.integration.slack.support import modal, section


@pytest.fixture
def stand_in() -> Iterator[SlackStandIn]:
    stand_in = SlackStandIn().start()
    yield stand_in
    stand_in.stop()


def documented(method: str) -> set[str]:
    signature = inspect.signature(getattr(WebClient, method.replace(".", "_")))
    return {name for name, each in signature.parameters.items() if each.kind is each.KEYWORD_ONLY}


def test_every_call_is_documented_and_taken(stand_in: SlackStandIn) -> None:
    slack = Slack(stand_in.state.bot_token, api_url=stand_in.api_url)
    card = slack.post("#infra", "card", [section("card")], key="k")
    slack.post(card.channel, "reply", thread=card.ts)
    slack.update("#infra", card.ts, "later", [section("later")])
    assert slack.find("#infra", "k") == card
    assert slack.find(card.channel, "none", thread=card.ts) is None
    slack.ephemeral(card.channel, "U0ANN", "psst", [section("psst")], thread=card.ts)
    slack.direct("U0ANN", "hello")
    slack.open_modal(stand_in.state.trigger("U0ANN"), modal())
    slack.publish_home("U0ANN", {"type": "home", "blocks": [section("home")]})
    slack.permalink(card.channel, card.ts)
    slack.user("U0ANN")
    assert "U0TOWPATH" in slack.check()
    assert slack.team() == "T0ACME"
    calls = list(stand_in.state.calls)
    assert {call.error for call in calls} == {""}
    for call in calls:
        assert set(call.params) <= documented(call.method), call
    public = {name for name in vars(Slack) if not name.startswith("_")}
    assert public - {"respond"} == {
        "post", "update", "find", "ephemeral", "conversation", "direct", "open_modal", "publish_home", "permalink", "user", "check", "team",
    }  # fmt: skip


def test_every_method_of_the_stand_in_exists_in_slack_sdk() -> None:
    for method in METHODS:
        assert callable(getattr(WebClient, method.replace(".", "_")))


@pytest.mark.parametrize("url", ["https://bot.example.com/", ""])
def test_manifest(url: str) -> None:
    made = manifest("/tf", public_url=url)
    (command,) = made["features"]["slash_commands"]
    settings = made["settings"]
    addresses = {command.get("url"), settings["interactivity"].get("request_url")}
    addresses |= {settings["event_subscriptions"].get("request_url")}
    assert addresses == {"https://bot.example.com/slack/events" if url else None}
    assert (command["command"], settings["socket_mode_enabled"]) == ("/tf", not url)
    assert settings["event_subscriptions"]["bot_events"] == list(EVENTS)
    needed = {"app_mention": "app_mentions:read", "message.im": "im:history"}
    assert {needed[event] for event in EVENTS if event in needed} | {"chat:write", "commands"} <= set(SCOPES)
    assert len(made["display_information"]["name"]) <= 35
    assert len(command["usage_hint"]) <= 1000
