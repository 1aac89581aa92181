"""What people do and see on the playground's page, with the real bot and real Terraform."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import expect

from bot.playground.page.server import Page as Served
from bot.playground.world import REPOSITORY, World
from tests.browser.support import Seen

pytestmark = pytest.mark.chromium


def test_ann_plans_and_applies(seen: Seen, world: World) -> None:
    page = seen.page
    seen.propose("bigger-web", "Bigger web server")
    expect(seen.row("staging")).to_contain_text("ready to apply")
    check = seen.check("towpath/staging")
    expect(check).to_contain_text("3 to add")
    check.locator("summary").first.click()
    expect(check.locator("pre .added").first).to_be_visible()

    page.get_by_role("switch", name="Slow cloud").click()
    expect(page.get_by_role("switch", name="Slow cloud")).to_have_attribute("aria-checked", "true")
    seen.comment("/apply staging")
    expect(seen.row("staging")).to_contain_text("⏳")
    page.get_by_role("switch", name="Slow cloud").click()
    expect(seen.row("staging")).to_contain_text("applied")
    expect(page.locator(".entry.deployment", has_text="staging")).to_contain_text("active")
    assert check.get_attribute("open") is not None, "what was opened stays open over all the changes"
    assert len(world.clouds["staging"].things("server")) == 1

    seen.send("/infra status")
    whisper = page.locator("#messages .whisper").last
    expect(whisper).to_contain_text("Only visible to you")
    expect(whisper).to_contain_text("staging")
    page.locator("#user").select_option("bob")
    expect(page.locator("#messages .whisper")).to_have_count(0)


def test_a_refused_command_is_answered(seen: Seen) -> None:
    seen.propose("drop-dns", "Drop the DNS record", author="carol")
    expect(seen.row("staging")).to_be_visible()
    before = seen.page.locator("#story .entry.comment").count()
    seen.page.get_by_label("You are").first.select_option("dave")
    seen.comment("/apply staging")
    answer = seen.page.locator("#story .entry.comment").nth(before + 1)
    expect(answer).to_contain_text("you need the write role")


def test_a_click_in_slack_asks_first_and_is_done(seen: Seen) -> None:
    page = seen.page
    number = seen.propose("add-server", "A server for the API", author="bob")
    card = page.locator("#messages > .message", has=page.locator("h3", has_text=f"#{number} "))
    button = card.get_by_role("button", name="Apply ci")
    button.click()
    asks = page.locator("dialog#confirm")
    expect(asks).to_contain_text("Apply the plan")
    asks.get_by_role("button", name="Not now").click()
    expect(asks).to_be_hidden()
    button.click()
    asks.get_by_role("button", name="Apply ci").click()
    expect(seen.row("ci")).to_contain_text("applied")
    expect(card).to_contain_text("applied")
    card.get_by_role("button", name=re.compile("repl(y|ies)")).click()
    expect(page.locator("#thread-messages")).to_contain_text("applied")
    page.keyboard.press("Escape")
    expect(page.locator("#thread")).to_have_count(0)


def test_reviews_pushes_closing_and_merging(seen: Seen) -> None:
    page = seen.page
    seen.propose("more-nodes", "One more node")
    page.get_by_role("button", name="✓ Approve").click()
    expect(page.locator("#toasts")).to_contain_text("Can not approve your own pull request")
    page.get_by_label("You are").first.select_option("bob")
    page.get_by_role("button", name="✓ Approve").click()
    expect(page.locator("#reviewers")).to_contain_text("bob approved")
    page.locator("#push select").select_option("new-image")
    page.get_by_role("button", name="Push a commit").click()
    expect(page.locator(".entry.commits")).to_have_count(2)
    page.get_by_role("link", name="Files changed").click()
    expect(page.locator("pre.diff .added").first).to_be_visible()
    page.get_by_role("link", name="Conversation").click()
    page.get_by_role("button", name="Close pull request").click()
    expect(page.locator(".badge").first).to_have_text("Closed")
    page.get_by_role("button", name="Reopen pull request").click()
    page.get_by_role("button", name="Merge pull request").click()
    expect(page.locator(".badge").first).to_have_text("Merged")
    expect(page.get_by_role("button", name="Push a commit")).to_be_hidden()


def test_a_branch_that_main_has_left_behind_is_updated(seen: Seen) -> None:
    """One is merged; the other gets the merge by a click, and with it a new plan."""
    page = seen.page
    left = seen.propose("drop-dns", "Left behind")
    seen.propose("new-image", "Goes ahead")  # which no other story proposes: it is in main from here on
    expect(page.get_by_role("button", name="Update branch")).to_have_count(0)
    page.get_by_role("button", name="Merge pull request").click()
    expect(page.locator(".badge").first).to_have_text("Merged")
    page.locator("#pulls").select_option(str(left))
    page.get_by_role("button", name="Update branch").click()
    expect(page.locator(".entry.commits").last).to_contain_text("Merge branch 'main' into ann/drop-dns")
    expect(page.get_by_role("button", name="Update branch")).to_have_count(0)
    head = page.locator(".entry.commits").last.locator("code").last.inner_text()
    expect(seen.row("staging")).to_contain_text(head)
    expect(seen.row("ci")).to_contain_text("ready to apply")  # staging may be another story's by now


def test_a_strangers_pull_request_comes_from_a_fork(seen: Seen) -> None:
    seen.propose("bigger-web", "From outside", author="dave")
    expect(seen.page.locator("#pull .meta")).to_contain_text("dave:dave/bigger-web")


def test_the_worker_is_killed_and_started_again(seen: Seen, world: World) -> None:
    page = seen.page
    pid = world.bot.pid
    page.get_by_role("button", name="Kill the bot").click()
    expect(page.locator("#bot-state")).to_contain_text("stopped")
    seen.send("/infra status")
    expect(page.locator("#messages .whisper").last).to_contain_text("operation_timeout")
    page.get_by_role("button", name="Start the bot").click()
    expect(page.locator("#bot-state")).to_contain_text("running")
    assert world.bot.alive
    assert world.bot.pid != pid


def test_typing_is_not_lost_when_something_arrives(seen: Seen, world: World, served: Served) -> None:
    page = seen.page
    number = seen.propose("slow-server", "A batch server")
    field = page.get_by_label("Add a comment")
    field.press_sequentially("half a")
    world.github.comment(
        REPOSITORY, number, author="carol", body="<details><summary>More</summary>\n\nwords\n\n</details>"
    )
    more = page.locator("#story details", has_text="words")
    more.locator("summary").click()
    page.locator("#line").press_sequentially("half a li")
    world.github.comment(REPOSITORY, number, author="bob", body="Something arrives")
    world.slack.write("bob", "#infra", "Something arrives here too")
    expect(seen.comments("Something arrives")).to_be_visible()
    expect(page.locator("#messages")).to_contain_text("arrives here too")
    expect(more).to_have_attribute("open", "")
    expect(field).to_have_value("half a")
    expect(page.locator("#line")).to_have_value("half a li")
    expect(page.locator("#line")).to_be_focused()


def test_a_phone_gets_both_halves_one_below_the_other(seen: Seen) -> None:
    page = seen.page
    page.set_viewport_size({"width": 390, "height": 800})
    left, right = page.locator(".github").bounding_box(), page.locator(".slack").bounding_box()
    assert left is not None
    assert right is not None
    assert right["y"] >= left["y"] + left["height"] - 1
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
