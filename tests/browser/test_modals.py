"""A modal in the Slack pane: every kind of field, errors under them, and what is sent."""

from __future__ import annotations

from typing import Any

import pytest
from playwright.sync_api import expect

from bot.playground.slack.model import Answer, Message, OpenView
from bot.playground.slack.state import BOT
from bot.playground.slack.validation import validated_blocks, validated_view
from bot.playground.world import World, until
from tests.browser.support import Seen

pytestmark = pytest.mark.chromium

Json = dict[str, Any]


def plain(text: str) -> Json:
    return {"type": "plain_text", "text": text}


def field(name: str, element: Json, *, optional: bool = False) -> Json:
    return {
        "type": "input",
        "block_id": name,
        "label": plain(name.capitalize()),
        "element": {"action_id": f"{name}-action", **element},
        "optional": optional,
    }


OPTIONS = [{"text": plain(name.capitalize()), "value": name} for name in ("staging", "prod")]
VIEW = {
    "type": "modal",
    "callback_id": "ask",
    "title": plain("Export data"),
    "submit": plain("Export"),
    "close": plain("Not now"),
    "blocks": [
        {"type": "section", "text": {"type": "mrkdwn", "text": "From *staging*, masked."}},
        field("reason", {"type": "plain_text_input", "multiline": True}),
        field("where", {"type": "static_select", "options": OPTIONS}),
        field("how", {"type": "radio_buttons", "options": OPTIONS}),
        field("more", {"type": "checkboxes", "options": OPTIONS}, optional=True),
    ],
}


def test_a_modal_is_filled_corrected_and_sent(
    seen: Seen, world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    page, state = seen.page, world.slack.state
    answers = [
        Answer(200, {"response_action": "errors", "errors": {"reason": "Say more than that."}}),
        Answer(200),
    ]
    sent: list[Json] = []

    def interactive(payload: Json) -> Answer:
        sent.append(payload["view"]["state"]["values"])
        return answers[len(sent) - 1]

    monkeypatch.setattr(world.slack.delivery, "interactive", interactive)
    with state.lock:
        state.views["U0ANN"] = [OpenView("V1", "U0ANN", validated_view(VIEW, "modal"), "1", "V1")]
    state.changed()
    modal = page.get_by_role("dialog", name="Export data")
    expect(modal.get_by_label("Reason")).to_be_focused()
    modal.get_by_label("Reason").fill("an audit")
    modal.get_by_label("Where").select_option("prod")
    modal.get_by_role("radio", name="Staging").check()
    modal.get_by_role("checkbox", name="Prod").check()
    modal.get_by_role("button", name="Export").click()
    expect(modal.get_by_role("alert")).to_have_text("Say more than that.")
    expect(modal.get_by_label("Where")).to_have_value("prod")
    modal.get_by_label("Reason").fill("an audit of the year")
    modal.get_by_role("button", name="Export").click()
    expect(modal).to_have_count(0)
    last = sent[-1]
    assert last["reason"]["reason-action"]["value"] == "an audit of the year"
    assert last["where"]["where-action"]["selected_option"]["value"] == "prod"
    assert last["how"]["how-action"]["selected_option"]["value"] == "staging"
    assert [one["value"] for one in last["more"]["more-action"]["selected_options"]] == ["prod"]


def test_escape_closes_a_modal(seen: Seen, world: World) -> None:
    state = world.slack.state
    with state.lock:
        state.views["U0ANN"] = [OpenView("V2", "U0ANN", validated_view(VIEW, "modal"), "1", "V2")]
    state.changed()
    modal = seen.page.get_by_role("dialog", name="Export data")
    expect(modal).to_be_visible()
    seen.page.keyboard.press("Escape")
    expect(modal).to_have_count(0)
    assert world.slack.modals("ann") == []


def test_a_question_asked_directly_is_answered_there(
    seen: Seen, world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    page, state = seen.page, world.slack.state
    clicks: list[Json] = []

    def interactive(payload: Json) -> Answer:
        clicks.append(payload)
        return Answer(200)

    monkeypatch.setattr(world.slack.delivery, "interactive", interactive)
    button = {
        "type": "button",
        "text": plain("Reject"),
        "action_id": "modal:reject",
        "value": "1",
        "style": "danger",
    }
    blocks = validated_blocks([{"type": "actions", "elements": [button]}])
    with state.lock:
        place = state.conversation("U0BOB")
        state.add(
            Message(place.id, state.new_ts(), BOT.id, "ann requests approval to apply #12 to prod", blocks)
        )
    state.changed()
    expect(page.locator("#user option", has_text="Bob · 1 direct")).to_have_count(1)
    page.locator("#user").select_option("bob")
    page.get_by_role("button", name="Towpath 1", exact=True).click()
    page.locator("#messages").get_by_role("button", name="Reject").click()
    until(lambda: clicks, what="the click")
    (payload,) = clicks
    assert payload["user"]["id"] == "U0BOB"
    assert payload["channel"]["id"] == place.id
    assert payload["actions"][0]["action_id"] == "modal:reject"
