"""ApprovalRules asked for, given and refused in Slack's windows: messages, modals, what is stored, and what is shown after."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from bot.domain.chat import Notice
from bot.domain.chat.events import ApprovalAnswered, ForceAcknowledged
from bot.domain.run import Origin
from bot.playground.slack import Message, NotOffered, SlackStandIn
from bot.render.command_style import CommandStyle
from bot.services.context import SurfaceKey, show
from bot.storage.database import Database
from bot.storage.inbox import open_inbox
from bot.surfaces import approval as surface
from bot.surfaces import reply
from bot.vault import Vault
from tests.integration.slack.office import CHANNEL, DIGEST, ID, Office, asking, entry, furnished
from tests.integration.slack.support import BotServer
from tests.unit.render import approvals, facts


@pytest.fixture
def office(
    stand_in: SlackStandIn, sqlite_url: str, vault: Vault, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Office]:
    database = Database(sqlite_url, vault)
    inbox = open_inbox(database, tmp_path / "inbox.db")
    monkeypatch.setattr(surface, "approval_request", asking)
    made = furnished(stand_in, database, inbox, tmp_path)
    server = BotServer(entry(made))
    stand_in.delivery.bot_url = server.url
    yield made
    server.stop()
    inbox.close()
    database.close()


def said(messages: list[Message]) -> str:
    return "\n".join(str(message.blocks) for message in messages)


def test_approving_what_destroys_is_typed(office: Office) -> None:
    slack, message = office.slack, office.ask()
    assert message.text == "ann requests approval to apply #12 to prod"
    assert slack.click("bob", CHANNEL, message.ts, "modal:approve").ok
    assert office.meant() == []
    (view,) = slack.modals("bob")
    with pytest.raises(NotOffered):
        slack.submit("bob", view.id, {"environment": ""})
    slack.submit("bob", view.id, {"environment": "staging"})
    assert slack.modals("bob")[0].errors == {"environment": "Does not match: type prod to approve."}
    slack.submit("bob", view.id, {"environment": "prod"})
    assert slack.modals("bob") == []
    (answered,) = office.meant()
    assert isinstance(answered, ApprovalAnswered)
    assert (answered.answer, answered.typed, answered.digest) == ("approve", "prod", DIGEST[:16])
    assert (answered.origin.channel, answered.origin.user) == (CHANNEL, "U0BOB")


def test_rejecting_says_why(office: Office) -> None:
    slack, message = office.slack, office.ask()
    slack.click("bob", CHANNEL, message.ts, "modal:reject")
    (view,) = slack.modals("bob")
    with pytest.raises(NotOffered):
        slack.submit("bob", view.id, {"reason": "x" * 501})
    slack.submit("bob", view.id, {"reason": "  "})
    assert set(slack.modals("bob")[0].errors) == {"reason"}
    slack.submit("bob", view.id, {"reason": "not today"})
    slack.delivery.resend_last()
    (answered,) = office.meant()
    assert (answered.answer, answered.reason) == ("reject", "not today")


def test_slacks_retry_of_a_click_is_the_same_delivery(office: Office) -> None:
    with office.database.begin() as tables:
        tables.approvals.update(ID, destroys=0)
    message = office.ask()
    assert office.slack.click("bob", CHANNEL, message.ts, "modal:approve").ok
    assert office.slack.delivery.resend_last().ok
    assert len(office.meant()) == 1
    office.slack.click("bob", CHANNEL, message.ts, "modal:approve")
    office.slack.click("carol", CHANNEL, message.ts, "modal:approve")
    assert [one.actor.slack for one in office.meant()] == ["T0ACME/U0BOB"] * 2 + ["T0ACME/U0CAROL"]


def test_the_plan_is_read_page_by_page(office: Office) -> None:
    slack, message = office.slack, office.ask()
    slack.click("bob", CHANNEL, message.ts, "modal:plan")
    (first,) = slack.modals("bob")
    assert "playground_server.old" in str(first.view["blocks"])
    pages = [str(first.view["blocks"])]
    while "modal:page:next" in pages[-1]:
        assert slack.click_view("bob", first.id, "modal:page:next").ok
        (shown,) = slack.modals("bob")
        pages.append(str(shown.view["blocks"]))
    assert len(pages) > 2
    assert all(f"Page {n} of {len(pages)}" in page for n, page in enumerate(pages, start=1))
    assert f"web[{1_999}]" in pages[-1]
    assert slack.click_view("bob", first.id, "modal:page:back").ok
    assert f"Page {len(pages) - 1} of" in str(slack.modals("bob")[0].view["blocks"])
    assert office.meant() == []


def test_of_two_quick_turns_the_second_changes_nothing(office: Office) -> None:
    slack, message = office.slack, office.ask()
    slack.click("bob", CHANNEL, message.ts, "modal:plan")
    (view,) = slack.modals("bob")
    slack.click_view("bob", view.id, "modal:page:next")
    assert slack.delivery.resend_last().ok
    assert "Page 2 of" in str(slack.modals("bob")[0].view["blocks"])
    slack.dismiss("bob", view.id)
    assert slack.delivery.resend_last().ok
    assert {call.error for call in slack.state.calls if call.method == "views.update"} == {
        "", "hash_conflict", "not_found",
    }  # fmt: skip


def test_after_the_decision_the_buttons_are_gone_everywhere(office: Office) -> None:
    channel = office.ask()
    for user in ("U0BOB", "U0CAROL"):
        assert office.ask(user).button("modal:approve")
    office.end()
    for user in ("", "U0BOB", "U0CAROL"):
        shown = office.ask(user)
        assert "modal:" not in str(shown.blocks)
        assert "@bob rejected it: not today" in str(shown.blocks)
        assert "Open pull request" in str(shown.blocks)
    assert [len(office.slack.direct(user)) for user in ("bob", "carol", "dave")] == [1, 1, 0]
    assert [one.ts for one in office.slack.messages(CHANNEL)] == [channel.ts]
    for action in ("modal:approve", "modal:reject"):
        assert office.slack.forge_click("bob", CHANNEL, channel.ts, action, value()).ok
    assert office.slack.modals("bob") == []
    assert [one.answer for one in office.meant()] == ["approve", "reject"]


def value(approval: str = ID) -> str:
    return f'{{"a":"{approval}","d":"{DIGEST[:16]}"}}'


def test_an_unchanged_message_is_not_edited(office: Office) -> None:
    assert office.ask().edited == 0
    assert office.ask().edited == 0


@pytest.mark.parametrize("user", ["", "U0BOB"])
def test_a_lost_answer_makes_no_second_message(office: Office, user: str) -> None:
    office.slack.faults.inject("chat.postMessage", "drop_response")
    with office.database.begin() as tables:
        subject = f"{ID}/{user}" if user else ID
        show(tables, facts.NOW, SurfaceKey("approval", subject, facts.REPOSITORY, 12))
    office.project()
    with office.database.read() as tables:
        row = tables.surfaces.get(f"approval:{subject}")
    assert row is not None
    assert row.error
    office.ask(user)
    assert len(office.slack.direct("bob") if user else office.slack.messages(CHANNEL)) == 1


def test_who_did_not_hear_of_it_is_not_told_of_its_end(office: Office) -> None:
    office.end()
    with office.database.begin() as tables:
        show(tables, facts.NOW, SurfaceKey("approval", f"{ID}/U0BOB", facts.REPOSITORY, 12))
    office.project()
    assert office.slack.direct("bob") == []


def test_unknown_approvals_open_nothing(office: Office) -> None:
    message = office.ask()
    for forged in (value("0" * 20), "", "{}", value().replace(DIGEST[:16], "0" * 16)):
        assert office.slack.forge_click("dave", CHANNEL, message.ts, "modal:plan", forged).ok
        assert office.slack.forge_click("dave", CHANNEL, message.ts, "modal:reject", forged).ok
    assert office.slack.modals("dave") == []


def test_a_break_glass_is_acknowledged(office: Office) -> None:
    one = approvals.follow_up(run_id="run-prod")
    with office.database.begin() as tables:
        tables.follow_ups.add(one)
        show(tables, facts.NOW, SurfaceKey("follow_up", one.id, facts.REPOSITORY, 12))
    office.project()
    (message,) = office.slack.messages(CHANNEL)
    assert "the site is down" in said([message])
    office.slack.click("bob", CHANNEL, message.ts, "acknowledge")
    (request,) = office.meant()
    assert isinstance(request, ForceAcknowledged)
    assert request.follow_up == one.id
    with office.database.begin() as tables:
        assert tables.follow_ups.acknowledge(one.id, "bob", facts.NOW)
        show(tables, facts.NOW, SurfaceKey("follow_up", one.id, facts.REPOSITORY, 12))
    office.project()
    (message,) = office.slack.messages(CHANNEL)
    assert "Acknowledged by @bob" in said([message])
    assert message.button("acknowledge") is None


def test_an_answer_that_its_channel_does_not_take_goes_to_its_asker_directly(office: Office) -> None:
    """A submission has no response_url, and its channel may be one that the bot has left."""
    origin = Origin(delivery="slack-1", channel="C0GENERAL", user="U0BOB")
    with office.database.begin() as tables:
        reply.queue_reply(
            tables,
            facts.NOW,
            CommandStyle("/infra", 12, facts.REPOSITORY),
            origin,
            Notice("prod: rejected by @bob."),
        )
    office.project()
    (told,) = office.slack.direct("bob")
    assert told.text == "prod: rejected by @bob."
