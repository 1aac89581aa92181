"""By hand, on the page: from a pull request through staging to production, approved and rejected in Slack."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from playwright.sync_api import Locator, Page, expect

from bot.playground.world import World
from tests.browser.support import Seen

pytestmark = pytest.mark.chromium

PICTURES = os.environ.get("TOWPATH_TEST_PICTURES", "")
"""A directory: where it is given, what people see on the way is kept there."""


def picture(page: Page, name: str) -> None:
    """At both widths that people have."""
    if PICTURES:
        for width in (1280, 1600):
            page.set_viewport_size({"width": width, "height": 1000})
            page.wait_for_timeout(400)
            page.screenshot(path=Path(PICTURES) / f"{name}-{width}.png")


def staged(seen: Seen) -> None:
    """`/apply staging`, up to its verification."""
    expect(seen.row("staging")).to_contain_text("ready to apply")
    seen.comment("/apply staging")
    expect(seen.row("staging")).to_contain_text("✅ applied")


def question(seen: Seen, number: int) -> Locator:
    """The question about a pull request in the Slack pane."""
    told = seen.page.locator("h3", has_text=f"#{number} ")
    return seen.page.locator("#messages > .message", has=told).filter(has_text="Requested by").last


@pytest.mark.long
def test_two_pull_requests_go_to_production(seen: Seen, world: World) -> None:
    """The second one replaces what the first one built."""
    _approved(seen, world)
    _rejected(seen, world)


def _approved(seen: Seen, world: World) -> None:
    page = seen.page
    number = seen.propose("bigger-web", "Bigger web server")
    staged(seen)
    seen.comment("/apply prod")
    expect(seen.row("prod")).to_contain_text("/approve prod")
    asked = question(seen, number)
    expect(asked.get_by_role("button", name="Approve", exact=True)).to_be_visible()
    picture(page, "asked")

    page.locator("#user").select_option("bob")
    page.get_by_role("button", name="Towpath 1", exact=True).click()
    expect(asked).to_contain_text("nobody yet")
    asked.get_by_role("button", name="View plan").click()
    plan = page.get_by_role("dialog", name="Plan for prod")
    expect(plan).to_contain_text("prod-web")
    picture(page, "plan")
    plan.get_by_role("button", name="Close", exact=True).last.click()
    expect(plan).to_have_count(0)
    asked.get_by_role("button", name="Approve", exact=True).click()
    expect(asked).to_contain_text("@bob in Slack")
    picture(page, "approved")

    expect(seen.row("prod")).to_contain_text("/apply prod")
    seen.comment("/apply prod")
    expect(seen.row("prod")).to_contain_text("✅ applied")
    expect(page.locator(".entry.deployment", has_text="prod")).to_contain_text("active")
    for place in ("Towpath 1", "# infra"):
        page.get_by_role("button", name=place, exact=True).click()
        over = question(seen, number)
        expect(over).to_contain_text("was approved")
        expect(over.get_by_role("button", name="Approve", exact=True)).to_have_count(0)
        expect(over.get_by_role("button", name="Reject")).to_have_count(0)
    expect(seen.status).to_contain_text("Approved by")
    assert {thing["name"] for thing in world.clouds["prod"].things("server").values()} == {"prod-web"}
    picture(page, "applied")


def _rejected(seen: Seen, world: World) -> None:
    """Rejected with a reason; asked for again, and approved by typing where."""
    page = seen.page
    before = set(world.clouds["prod"].things("server"))
    for environment in ("staging", "prod"):
        seen.comment(f"/unlock {environment}")
        expect(seen.row(environment)).not_to_contain_text("🔒")
    number = seen.propose("new-image", "New image")
    staged(seen)
    seen.comment("/apply prod when-approved")
    page.locator("#user").select_option("bob")
    asked = question(seen, number)
    expect(asked).to_contain_text("nobody yet")
    asked.get_by_role("button", name="Reject").click()
    why = page.get_by_role("dialog", name="Reject prod")
    picture(page, "reject")
    why.get_by_label("Why should this not be applied?").fill("not on a Friday")
    why.get_by_role("button", name="Reject").click()
    expect(why).to_have_count(0)
    expect(asked).to_contain_text("was rejected")
    expect(asked.get_by_role("button", name="Approve", exact=True)).to_have_count(0)
    expect(seen.comments("rejected the apply to prod: not on a Friday")).to_be_visible()
    picture(page, "rejected")

    seen.comment("/apply prod when-approved")
    expect(asked.get_by_role("button", name="Approve", exact=True)).to_be_visible()
    asked.get_by_role("button", name="Approve", exact=True).click()
    where = page.get_by_role("dialog", name="Approve prod")
    where.get_by_label("Type prod to approve").fill("staging")
    where.get_by_role("button", name="Approve", exact=True).click()
    expect(where.get_by_role("alert")).to_be_visible()
    picture(page, "typed")
    assert set(world.clouds["prod"].things("server")) == before
    where.get_by_label("Type prod to approve").fill("prod")
    where.get_by_role("button", name="Approve", exact=True).click()
    expect(where).to_have_count(0)
    expect(seen.row("prod")).to_contain_text("✅ applied")
    expect(asked).to_contain_text("was approved")
    assert not before & set(world.clouds["prod"].things("server"))
