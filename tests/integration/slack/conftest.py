from __future__ import annotations

from collections.abc import Iterator

import pytest

from bot.playground.slack import SlackStandIn
from bot.slack.chat import Slack
from tests.integration.slack.support import BotServer, Inbox, slack_app


@pytest.fixture
def stand_in() -> Iterator[SlackStandIn]:
    stand_in = SlackStandIn().start()
    stand_in.limits.on = False
    stand_in.delivery.retries = ()
    yield stand_in
    stand_in.stop()


@pytest.fixture
def slack(stand_in: SlackStandIn) -> Slack:
    return Slack(stand_in.state.bot_token, api_url=stand_in.api_url, timeout=5)


@pytest.fixture
def inbox() -> Inbox:
    return Inbox()


@pytest.fixture
def bot(stand_in: SlackStandIn, inbox: Inbox) -> Iterator[BotServer]:
    state = stand_in.state
    server = BotServer(slack_app(inbox, stand_in.api_url, state.bot_token, state.signing_secret))
    stand_in.delivery.bot_url = server.url
    yield server
    server.stop()
