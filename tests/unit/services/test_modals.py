"""Modals of approvals from real rows, what is wrong with a submission, and what clicks and submissions mean."""

from __future__ import annotations

import hashlib
import json
from dataclasses import asdict, replace
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.domain.approvals import Approval
from bot.domain.chat.events import ApprovalAnswered, ForceAcknowledged, Request
from bot.domain.ports.inbox import Delivery
from bot.intake import slack
from bot.intake.clicks import ApprovalRef, input_value, parse_approval_ref, parse_follow_up
from bot.intake.modals import Modals
from bot.slack.request import SlackDelivery, SlackRequest
from bot.storage.database import Database
from bot.storage.inbox import DeliveryRows
from tests.unit.render import approvals, facts
from tests.unit.services.conftest import Bell

FILE = b"plan"
WHOLE = hashlib.sha256(FILE).hexdigest()
DIGEST = WHOLE[:16]


@pytest.fixture
def approval(database: Database) -> Approval:
    made = approvals.approval(destroys=2, plan_digest=WHOLE)
    with database.begin() as tables:
        tables.pulls.save(facts.PULL)
        tables.runs.add(facts.run(made.target))
        tables.plans.add(facts.plan(made.target, id=made.run_id, digest=WHOLE), FILE)
        tables.approvals.add(made)
    return made


class Clicking:
    """Modals over the rows, at a time that tests move."""

    def __init__(self, database: Database) -> None:
        self.now = facts.NOW
        self.modals = Modals(database, lambda: self.now)

    def open(self, action: str, **more: Any) -> dict[str, Any] | None:
        return self.modals.open(click(action, **more))


@pytest.fixture
def clicking(database: Database, approval: Approval) -> Clicking:
    assert approval.live
    return Clicking(database)


def value(**more: Any) -> str:
    return json.dumps({"a": approvals.approval().id, "d": DIGEST, **more})


def click(action: str, **more: Any) -> SlackRequest:
    given = {
        "value": value(),
        "channel": "C0INFRA",
        "message_ts": "2.1",
        "response_url": "https://x.example.com",
    }
    return SlackRequest("action", "T1", "U1", "d1", action_id=action, **given | more)


def submission(callback: str, metadata: str = "", **texts: str) -> SlackRequest:
    values = {block: {"text": {"type": "plain_text_input", "value": text}} for block, text in texts.items()}
    metadata = metadata or ApprovalRef(approvals.approval().id, DIGEST, channel="C0INFRA").metadata
    view = {"callback_id": callback, "private_metadata": metadata, "state": {"values": values}}
    return SlackRequest("submission", "T1", "U1", "d2", action_id=callback, value=metadata, view=view)


def meant(request: SlackRequest) -> list[Request]:
    body = json.dumps(asdict(request)).encode()
    return slack.parse_requests(Delivery("slack-d", "slack", request.kind, "c", body, facts.NOW))


def test_approving_what_destroys_asks_for_the_name(clicking: Clicking) -> None:
    view = clicking.open("modal:approve")
    assert view is not None
    assert (view["callback_id"], view["submit"]["text"]) == ("approve", "Approve")
    assert "*destroy* `playground_server.old`" in str(view["blocks"])
    assert parse_approval_ref(view["private_metadata"]) == ApprovalRef(
        approvals.approval().id, DIGEST, channel="C0INFRA"
    )
    check = clicking.modals.check
    for typed in ("", "staging", "Prod"):
        assert "type prod" in str(check(submission("approve", environment=typed)))
    assert check(submission("approve", environment=" prod ")) is None


def test_approving_what_destroys_nothing_is_one_click(clicking: Clicking, database: Database) -> None:
    with database.begin() as tables:
        tables.approvals.update(approvals.approval().id, destroys=0)
    assert clicking.open("modal:approve") is None
    (said,) = meant(click("modal:approve"))
    assert isinstance(said, ApprovalAnswered)
    assert (said.approval, said.digest, said.answer) == (approvals.approval().id, DIGEST, "approve")
    assert (said.origin.channel, said.origin.thread, said.origin.user) == ("C0INFRA", "", "U1")
    assert said.actor.slack == "T1/U1"


def test_a_button_that_says_so_needs_no_look_at_the_database_and_grants_nothing(clicking: Clicking) -> None:
    simple = click("modal:approve", value=value(s=1))
    assert clicking.modals.open(simple) is None
    (said,) = meant(simple)
    assert isinstance(said, ApprovalAnswered)
    assert said.typed == ""  # what destroys is refused without the name, whatever the button says
    assert clicking.modals.open(click("modal:approve", value=value(s="1"))) is not None


def test_rejecting_asks_why(clicking: Clicking) -> None:
    view = clicking.open("modal:reject")
    assert view is not None
    assert view["blocks"][-1]["element"]["max_length"] == 500
    check = clicking.modals.check
    assert set(check(submission("reject", reason=" \n")) or {}) == {"reason"}
    assert set(check(submission("reject")) or {}) == {"reason"}
    assert set(check(submission("reject", reason="x" * 501)) or {}) == {"reason"}
    assert check(submission("reject", reason="not on a Friday")) is None


def test_a_submission_is_an_answer_on_its_way_back(clicking: Clicking) -> None:
    view = clicking.open("modal:reject", thread_ts="1.5")
    assert view is not None
    (said,) = meant(submission("reject", view["private_metadata"], reason="not on a Friday"))
    assert isinstance(said, ApprovalAnswered)
    assert (said.answer, said.reason, said.typed) == ("reject", "not on a Friday", "")
    assert (said.origin.channel, said.origin.thread, said.origin.user) == ("C0INFRA", "1.5", "U1")
    (said,) = meant(submission("approve", environment="prod"))
    assert isinstance(said, ApprovalAnswered)
    assert (said.answer, said.typed) == ("approve", "prod")


def test_the_plan_is_turned_within_its_modal(clicking: Clicking) -> None:
    first = clicking.open("modal:plan")
    assert first is not None
    assert "Page 1 of 1" in str(first["blocks"])
    inside = {"type": "modal", "private_metadata": first["private_metadata"]}
    turned = clicking.open("modal:page:next", value=value(n=7), view=inside, channel="")
    assert turned is not None
    assert turned["private_metadata"] == first["private_metadata"]
    assert turned["blocks"] == first["blocks"]


@pytest.mark.parametrize("action", ["modal:approve", "modal:reject"])
def test_what_is_over_opens_nothing(clicking: Clicking, database: Database, action: str) -> None:
    assert clicking.open(action) is not None
    clicking.now = facts.NOW + timedelta(hours=24)
    assert clicking.open(action) is None
    clicking.now = facts.NOW
    with database.begin() as tables:
        assert tables.approvals.end(approvals.approval().id, "rejected", "@bob rejected it", facts.NOW)
    assert clicking.open(action) is None
    assert isinstance(meant(click(action))[0], ApprovalAnswered)
    shown = clicking.open("modal:plan")
    assert shown is not None
    assert "@bob rejected it" in str(shown["blocks"][0])


@pytest.mark.parametrize(
    "forged",
    [
        value(a="0" * 20),
        value(d="e" * 16),
        value(d=""),
        value(d=DIGEST.upper()),
        value(d=WHOLE),
        value(a=["x"]),
        value(n="2"),
        "",
        "[]",
        "{" * 5000,
        '{"a": "a/../b", "d": "dddddddddddddddd"}',
    ],
)
def test_unknown_and_forged_values_open_nothing(clicking: Clicking, forged: str) -> None:
    for action in ("modal:approve", "modal:reject", "modal:plan", "modal:page:next", "modal:x"):
        assert clicking.open(action, value=forged) is None
    assert clicking.modals.check(submission("approve", forged or "{}", environment="x")) is None


@given(st.text(), st.text(max_size=20), st.dictionaries(st.text(), st.text()))
def test_nonsense_asks_for_nothing(text: str, action: str, values: dict[str, str]) -> None:
    for request in (
        click("modal:approve", value=text),
        click("acknowledge", value=text),
        click(action, value=""),
    ):
        assert meant(request) == []
    assert meant(replace(submission("reject"), value=text, view={"state": {"values": values}})) == []
    assert meant(submission("other")) == []
    assert input_value({"state": {"values": values}}, "reason", "text") == ""


def test_acknowledging() -> None:
    (said,) = meant(click("acknowledge", value='{"f":"ffffffffffffffffffff"}'))
    assert isinstance(said, ForceAcknowledged)
    assert (said.follow_up, said.origin.channel, said.origin.thread) == ("f" * 20, "C0INFRA", "")
    assert parse_follow_up('{"f": "../x"}') == ""


def test_the_answers_to_one_approval_keep_their_order(inbox: DeliveryRows, bell: Bell) -> None:
    accept = slack.delivery_store(inbox, bell)
    accept(SlackDelivery("1", click("modal:approve")))
    accept(SlackDelivery("2", click("modal:approve", channel="D0BOB")))
    accept(SlackDelivery("3", submission("reject", reason="x")))
    assert {one.conversation for one in inbox.pending(9)} == {f"slack:approval:{approvals.approval().id}"}
