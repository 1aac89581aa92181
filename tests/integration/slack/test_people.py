"""What people do in the stand-in reaches the bot, and what Slack would show comes back."""

from __future__ import annotations

import threading

import pytest

from bot.playground.slack import NotOffered, SlackStandIn
from bot.slack.chat import Slack
from tests.integration.slack.support import BotServer, Inbox, button, modal, until

INFRA = "C0INFRA"
pytestmark = pytest.mark.usefixtures("bot")


def test_slash_and_answer(stand_in: SlackStandIn, inbox: Inbox, slack: Slack) -> None:
    assert stand_in.slash("ann", "#infra", "plan “prod” https://github.com/acme/infra/pull/12 @bob").ok
    request = inbox.last
    assert request.text == 'plan "prod" acme/infra#12 @bob'
    assert (request.kind, request.user, request.channel, request.team) == (
        "command",
        "U0ANN",
        INFRA,
        "T0ACME",
    )
    slack.respond(request.response_url, "on it")
    slack.open_modal(request.trigger_id, modal())
    assert [message.text for message in stand_in.ephemerals("ann")] == ["on it"]
    assert len(stand_in.modals("ann")) == 1


def test_slash_that_fails_or_takes_too_long(stand_in: SlackStandIn, inbox: Inbox, bot: BotServer) -> None:
    inbox.failures = 1
    stand_in.slash("ann", "#infra", "plan")
    assert "Internal error (T-" in stand_in.ephemerals("ann")[-1].text
    inbox.delay, stand_in.delivery.ack_seconds = 0.4, 0.1
    assert stand_in.slash("bob", "#infra", "plan").status == 0
    assert stand_in.ephemerals("bob")[-1].text == '/infra failed with the error "operation_timeout"'
    stand_in.delivery.bot_url = bot.url + "/nowhere"
    stand_in.delivery.ack_seconds = 3
    stand_in.slash("carol", "#infra", "plan")
    assert stand_in.ephemerals("carol")[-1].text == '/infra failed with the error "dispatch_failed"'
    with pytest.raises(NotOffered):
        stand_in.slash("ann", "#nowhere", "plan")


def test_mention_in_a_thread(stand_in: SlackStandIn, inbox: Inbox, slack: Slack) -> None:
    card = slack.post(INFRA, "card")
    message, answer = stand_in.mention("bob", "#infra", "apply prod", thread=card.ts)
    assert answer is not None
    assert answer.ok
    assert (inbox.last.kind, inbox.last.text, inbox.last.thread_ts) == ("mention", "apply prod", card.ts)
    assert inbox.last.message_ts == message.ts
    assert [each.user for each in stand_in.thread(INFRA, card.ts)] == ["U0TOWPATH", "U0BOB"]
    assert stand_in.mention("bob", "#general", "hello")[1] is None


def test_direct_message_and_home(stand_in: SlackStandIn, inbox: Inbox) -> None:
    stand_in.dm("carol", "help")
    assert (inbox.last.kind, inbox.last.text, inbox.last.channel) == ("mention", "help", "D0CAROL")
    assert stand_in.open_home("carol").ok
    assert (inbox.last.kind, inbox.last.user) == ("home", "U0CAROL")


def test_an_event_comes_again_until_it_is_taken(stand_in: SlackStandIn, inbox: Inbox) -> None:
    stand_in.delivery.retries = (0.0, 0.0, 0.0)
    inbox.failures = 2
    stand_in.mention("ann", "#infra", "plan")
    stand_in.delivery.wait_for_retries()
    assert [(number, answer.status) for _, number, answer in stand_in.delivery.log] == [
        (0, 503),
        (1, 503),
        (2, 200),
    ]
    assert inbox.seen == [True]
    inbox.failures = 9
    stand_in.mention("ann", "#infra", "plan")
    stand_in.delivery.wait_for_retries()
    assert inbox.failures == 5  # once, and three times again


def test_a_late_acknowledgement_makes_a_duplicate(stand_in: SlackStandIn, inbox: Inbox) -> None:
    stand_in.delivery.retries, stand_in.delivery.ack_seconds = (0.0,), 0.1
    inbox.delay = 0.3
    stand_in.mention("ann", "#infra", "plan")
    stand_in.delivery.wait_for_retries()
    until(lambda: len(inbox.seen) == 2)
    assert (inbox.seen, len(inbox.rows)) == ([True, False], 1)


def test_click_only_what_is_there(stand_in: SlackStandIn, inbox: Inbox, slack: Slack) -> None:
    blocks = [{"type": "actions", "elements": [button("Approve", "approve", "run-7")]}]
    posted = slack.post(INFRA, "approve?", blocks)
    assert stand_in.click("bob", "#infra", posted.ts, "approve").ok
    assert (inbox.last.kind, inbox.last.action_id, inbox.last.value) == ("action", "approve", "run-7")
    assert (inbox.last.message_ts, inbox.last.user) == (posted.ts, "U0BOB")
    slack.update(INFRA, posted.ts, "approved by bob")
    with pytest.raises(NotOffered):
        stand_in.click("bob", "#infra", posted.ts, "approve")
    assert stand_in.forge_click("dave", "#infra", posted.ts, "approve", "run-7").ok
    assert (inbox.last.user, inbox.last.value) == ("U0DAVE", "run-7")
    assert stand_in.forge_click("dave", "#infra", posted.ts, "approve", actions=[]).status == 400


def test_a_whispered_button_is_for_one_person(stand_in: SlackStandIn, inbox: Inbox, slack: Slack) -> None:
    slack.ephemeral(INFRA, "U0ANN", "choose", [{"type": "actions", "elements": [button("Go", "go")]}])
    (whisper,) = stand_in.ephemerals("ann")
    with pytest.raises(NotOffered):
        stand_in.click("bob", "#infra", whisper.ts, "go")
    stand_in.click("ann", "#infra", whisper.ts, "go")
    slack.respond(inbox.last.response_url, "gone", replace=True)
    assert [(message.text, message.blocks) for message in stand_in.ephemerals("ann")] == [("gone", [])]


def test_modal_from_a_click_and_its_submission(stand_in: SlackStandIn, inbox: Inbox, slack: Slack) -> None:
    posted = slack.post(INFRA, "link?", [{"type": "actions", "elements": [button("Link", "modal:link")]}])
    inbox.modal = lambda request: modal() if request.action_id == "modal:link" else None
    inbox.errors = lambda request: (
        {"login": "No such login."}
        if request.view["state"]["values"]["login"]["text"]["value"] == "x"
        else None
    )
    assert stand_in.click("ann", "#infra", posted.ts, "modal:link").ok
    assert inbox.rows == {}
    (view,) = stand_in.modals("ann")
    with pytest.raises(NotOffered):
        stand_in.submit("ann", view.id)
    stand_in.submit("ann", view.id, {"login": "x"})
    assert (stand_in.modals("ann")[0].errors, inbox.rows) == ({"login": "No such login."}, {})
    stand_in.submit("ann", view.id, {"login": "ann-gh"})
    assert stand_in.modals("ann") == []
    assert (inbox.last.kind, inbox.last.action_id, inbox.last.value) == ("submission", "link", "acme/infra")
    assert inbox.last.view["state"]["values"]["login"]["text"]["value"] == "ann-gh"


def test_trouble_keeps_a_modal_open(stand_in: SlackStandIn, inbox: Inbox, slack: Slack) -> None:
    slack.open_modal(stand_in.state.trigger("U0ANN"), modal())
    inbox.failures = 1
    (view,) = stand_in.modals("ann")
    assert stand_in.submit("ann", view.id, {"login": "y"}).status == 503
    assert "trouble" in stand_in.modals("ann")[0].failure
    stand_in.dismiss("ann", view.id)
    assert stand_in.modals("ann") == []


def test_a_modal_that_slack_does_not_open(stand_in: SlackStandIn, inbox: Inbox, slack: Slack) -> None:
    posted = slack.post(INFRA, "link?", [{"type": "actions", "elements": [button("Link", "modal:link")]}])
    inbox.modal = lambda _request: modal()
    stand_in.faults.inject("views.open", 500)
    assert stand_in.click("ann", "#infra", posted.ts, "modal:link").status == 503


def test_clicks_in_views(stand_in: SlackStandIn, inbox: Inbox, slack: Slack) -> None:
    slack.publish_home(
        "U0ANN", {"type": "home", "blocks": [{"type": "actions", "elements": [button("Go", "go", "1")]}]}
    )
    home = stand_in.home("ann")
    assert home is not None
    assert stand_in.click_view("ann", home.id, "go").ok
    assert (inbox.last.action_id, inbox.last.value, inbox.last.channel) == ("go", "1", "")
    assert inbox.last.view["type"] == "home"


def test_many_people_at_once(stand_in: SlackStandIn, inbox: Inbox) -> None:
    threads = [
        threading.Thread(target=stand_in.slash, args=(name, "#infra", f"plan {number}"))
        for name in ("ann", "bob", "carol", "dave")
        for number in range(5)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len({(request.user, request.text) for request in inbox.rows.values()}) == 20
