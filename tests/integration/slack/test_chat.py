"""The adapter against the stand-in."""

from __future__ import annotations

from typing import Any

import pytest

from bot.domain.ports.chat import Chat, ChatError, ChatUser
from bot.playground.slack import SlackStandIn
from bot.playground.slack.model import User
from bot.slack.chat import Slack
from tests.integration.slack.support import button, modal, section

INFRA = "C0INFRA"


def refused(call: Any, *args: Any, **options: Any) -> ChatError:
    with pytest.raises(ChatError) as caught:
        call(*args, **options)
    return caught.value


def test_post_update_and_thread(stand_in: SlackStandIn, slack: Slack) -> None:
    chat: Chat = slack
    card = chat.post("#infra", "a card", [section("*a card*")], key="card-1")
    reply = chat.post(card.channel, "a reply", thread=card.ts)
    chat.update(card.channel, card.ts, "later", [section("*later*")])
    assert (card.channel, [message.text for message in stand_in.messages("#infra")]) == (INFRA, ["later"])
    assert [message.ts for message in stand_in.thread(INFRA, card.ts)] == [card.ts, reply.ts]
    chat.update("#infra", card.ts, "bare")
    assert stand_in.messages(INFRA)[0].blocks == []
    assert chat.find(INFRA, "card-1") == card  # an update keeps the key


def test_find_in_channel_and_thread(stand_in: SlackStandIn, slack: Slack) -> None:
    assert slack.find(INFRA, "k") is None
    parent = slack.post(INFRA, "parent", key="k")
    for number in range(250):
        slack.post(INFRA, f"noise {number}", thread=parent.ts)
    reply = slack.post(INFRA, "last", thread=parent.ts, key="r")
    assert slack.find("#infra", "k") == parent
    assert slack.find(INFRA, "r", thread=parent.ts) == reply
    assert slack.find(INFRA, "r") is None


def test_find_leaves_out_what_others_wrote(stand_in: SlackStandIn, slack: Slack) -> None:
    message = stand_in.write("dave", INFRA, "mine")
    message.metadata = {"event_type": "towpath", "event_payload": {"key": "k"}}
    assert slack.find(INFRA, "k") is None


def test_ephemeral_direct_names_and_permalink(stand_in: SlackStandIn, slack: Slack) -> None:
    slack.ephemeral(INFRA, "U0ANN", "only you")
    assert [message.text for message in stand_in.ephemerals("ann")] == ["only you"]
    assert stand_in.ephemerals("bob") == []
    posted = slack.direct("U0BOB", "hello")
    assert [message.ts for message in stand_in.direct("bob")] == [posted.ts]
    assert slack.user("U0CAROL") == ChatUser("U0CAROL", frozenset({"T0ACME"}), "carol", "Carol")
    stand_in.state.users["U0EVE"] = User("U0EVE", "eve", "Eve", team="T0OTHER")
    assert slack.user("U0EVE").teams == {"T0OTHER"}
    assert slack.permalink(posted.channel, posted.ts).startswith(
        f"{stand_in.url}/archives/{posted.channel}/p"
    )


def test_respond_five_times_in_half_an_hour(stand_in: SlackStandIn, slack: Slack) -> None:
    url = stand_in.state.response_url("U0ANN", INFRA)
    for number in range(5):
        slack.respond(url, f"answer {number}")
    assert refused(slack.respond, url, "one more").code == "used_url"
    old = stand_in.state.response_url("U0ANN", INFRA)
    clock = stand_in.state.clock
    stand_in.state.clock = lambda: clock() + 1801
    assert refused(slack.respond, old, "late").code == "expired_url"
    assert len(stand_in.ephemerals("ann")) == 5


def test_respond_replaces_the_message_of_the_click(stand_in: SlackStandIn, slack: Slack) -> None:
    posted = slack.post(INFRA, "choose", [{"type": "actions", "elements": [button("Go", "go")]}])
    slack.respond(stand_in.state.response_url("U0ANN", INFRA, posted.ts), "chosen", replace=True)
    (message,) = stand_in.messages(INFRA)
    assert (message.text, message.blocks) == ("chosen", [])


def test_modal_once_within_three_seconds(stand_in: SlackStandIn, slack: Slack) -> None:
    trigger = stand_in.state.trigger("U0ANN")
    slack.open_modal(trigger, modal())
    (view,) = stand_in.modals("ann")
    assert view.view["title"]["text"] == "Link"
    assert refused(slack.open_modal, trigger, modal()).code == "exchanged_trigger_id"
    late, clock = stand_in.state.trigger("U0ANN"), stand_in.state.clock
    stand_in.state.clock = lambda: clock() + 3.5
    assert refused(slack.open_modal, late, modal()).code == "expired_trigger_id"
    assert refused(slack.open_modal, "never", modal()).retry_after is None


def test_home(stand_in: SlackStandIn, slack: Slack) -> None:
    slack.publish_home("U0ANN", {"type": "home", "blocks": [section("hello")]})
    home = stand_in.home("ann")
    assert home is not None
    assert home.view["blocks"][0]["text"]["text"] == "hello"


def test_refusals_are_final_and_in_slacks_words(stand_in: SlackStandIn, slack: Slack) -> None:
    ann = stand_in.write("ann", INFRA, "mine")
    found = {
        "channel_not_found": refused(slack.post, "C0NONE", "x"),
        "not_in_channel": refused(slack.post, "#general", "x"),
        "message_not_found": refused(slack.update, INFRA, "1.000001", "x"),
        "cant_update_message": refused(slack.update, INFRA, ann.ts, "x"),
        "user_not_found": refused(slack.user, "U0NONE"),
        "invalid_auth": refused(Slack("xoxb-wrong", api_url=stand_in.api_url).post, INFRA, "x"),
        "not_allowed_token_type": refused(
            Slack(stand_in.state.app_token, api_url=stand_in.api_url).post, INFRA, "x"
        ),
        "invalid_blocks": refused(slack.post, INFRA, "x", [section("x")] * 51),
        "thread_not_found": refused(slack.find, INFRA, "k", thread="1.000001"),
    }
    assert {word: error.code for word, error in found.items()} == {word: word for word in found}
    assert {error.retry_after for error in found.values()} == {None}
    assert refused(slack.find, "#nowhere", "k").code == "channel_not_found"


@pytest.mark.parametrize(
    ("status", "code", "seconds"), [(429, "ratelimited", 7), (500, "http_500", 5), (503, "http_503", 5)]
)
def test_passing_failures_say_when_to_come_back(
    stand_in: SlackStandIn, slack: Slack, status: int, code: str, seconds: float
) -> None:
    stand_in.faults.inject(r"chat\..*", status, seconds=7)
    error = refused(slack.post, INFRA, "x")
    assert (error.code, error.retry_after) == (code, seconds)
    stand_in.faults.inject("response_url", status, seconds=7)
    error = refused(slack.respond, stand_in.state.response_url("U0ANN", INFRA), "x")
    assert error.retry_after is not None
    assert stand_in.messages(INFRA) == []  # nothing went out twice, or at all
    slack.post(INFRA, "x")


def test_timeout_and_no_server(stand_in: SlackStandIn) -> None:
    stand_in.faults.inject("chat.postMessage", "timeout")
    error = refused(Slack(stand_in.state.bot_token, api_url=stand_in.api_url, timeout=0.3).post, INFRA, "x")
    assert (error.code, error.retry_after) == ("timeout", 5.0)
    error = refused(Slack("xoxb-x", api_url="http://127.0.0.1:9/api/").post, INFRA, "x")
    assert (error.code, error.retry_after) == ("unreachable", 5.0)
    assert stand_in.state.bot_token not in str(error)


def test_lost_response_then_found(stand_in: SlackStandIn, slack: Slack) -> None:
    stand_in.faults.inject("chat.postMessage", "drop_response")
    assert refused(slack.post, INFRA, "x", key="run-7").retry_after == 5.0
    posted = slack.find(INFRA, "run-7")
    assert posted is not None
    assert [message.ts for message in stand_in.messages(INFRA)] == [posted.ts]


def test_rate_limit_of_a_channel(stand_in: SlackStandIn, slack: Slack) -> None:
    stand_in.limits.on = True
    stopped, clock = stand_in.state.clock(), stand_in.state.clock
    stand_in.state.clock = lambda: stopped
    for _ in range(10):
        slack.post(INFRA, "x")
    error = refused(slack.post, INFRA, "x")
    assert (error.code, error.retry_after) == ("ratelimited", 1.0)
    slack.direct("U0ANN", "another conversation")
    stand_in.state.clock = lambda: stopped + 1
    slack.post(INFRA, "x")
    stand_in.state.clock = clock


def test_revision_grows_and_subscribers_hear(stand_in: SlackStandIn, slack: Slack) -> None:
    heard: list[int] = []
    end = stand_in.subscribe(heard.append)
    slack.post(INFRA, "x")
    end()
    slack.post(INFRA, "y")
    assert heard == [stand_in.revision - 1]
