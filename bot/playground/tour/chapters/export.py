"""Staging's data is replaced by a masked part of prod's, and brought back."""

from __future__ import annotations

import re
from collections.abc import Container
from datetime import UTC, datetime
from functools import partial

import psycopg

from bot.domain.exports import PATH
from bot.playground.shop import ShopDatabases
from bot.playground.shop.databases import OLD_CUSTOMERS, PROD_DOMAIN, STAGING_DOMAIN
from bot.playground.slack.model import Message
from bot.playground.tour.production_steps import change_policy
from bot.playground.tour.registry import chapter
from bot.playground.tour.story import Story
from bot.playground.tour.text import slack_text
from bot.playground.tour.updates import Updates
from bot.playground.world import CHANNEL

NIGHTLY, EVERY_MINUTE = 'schedule = "0 3 * * *"', 'schedule = "* * * * *"'
UNCLASSIFIED = 'phone = { mask = "phone" }\n'
"""A rule that is removed."""
DONE = "Export prod → staging is done"
CUSTOMERS = "public.customers"
_DANGLING = {
    "orders of nobody": "SELECT count(*) FROM orders LEFT JOIN customers ON customers.id = customer_id WHERE customers.id IS NULL",
    "items of no order": "SELECT count(*) FROM order_items LEFT JOIN orders ON orders.id = order_id WHERE orders.id IS NULL",
    "heads who are no employees": "SELECT count(*) FROM hr.departments d LEFT JOIN hr.employees e ON e.id = head_id WHERE e.id IS NULL",
}


@chapter("export", "staging gets a masked part of prod's data, and can go back", order=200, shop=True)
def export(story: Story) -> None:
    shop = _shop(story)
    with story.step("Ann has opened a pull request, so the channel's commands know the repository"):
        story.wait_for_plan(story.propose("bigger-web"), "staging")

    with story.step("Ann previews an export to staging: exact row counts, and what is masked"):
        counts = _preview(story)
        story.check("staging has its old data", true=_count(shop, "customers") == OLD_CUSTOMERS)

    with story.step("She runs it; since it is the first one, nothing is read before somebody approves it"):
        asked = _ask(story, "now", "Export prod → staging needs approval")
        story.check_text(slack_text(asked), "approval by")
        story.check("staging has its old data", true=_count(shop, "customers") == OLD_CUSTOMERS)

    client = psycopg.connect(shop.staging, autocommit=True)
    with story.step(
        "Bob approves with the button; the export is loaded next to staging's data, and swapped in"
    ):
        story.narrator.action("bob", f"Slack #{CHANNEL}", "clicks [Approve]")
        story.world.slack.click("bob", CHANNEL, asked.ts, "towpath:export:staging:approve")
        done = _wait(story, DONE)
        story.check_text(slack_text(done), "approved by bob")

    with story.step("Staging has what the preview said, masked; references lead somewhere"):
        _check_masked(story, shop, counts)

    with story.step("A program that was connected to staging is disconnected, and works once it reconnects"):
        story.check("its connection was closed", true=_is_closed(client))
        with psycopg.connect(shop.staging, autocommit=True) as again:
            added = again.execute(
                "INSERT INTO customers (email, name) VALUES ('new@example.org', 'New') RETURNING id"
            ).fetchone()
        story.check("it adds a customer, under a free id", true=added is not None, seen=added)

    with story.step("Bob rolls back: the old data is there again"):
        _ask(story, "rollback", "Rollback of staging is done", user="bob")
        story.check("the old customers are back", true=_count(shop, "customers") == OLD_CUSTOMERS)
        old = f"customers WHERE email LIKE '%@{STAGING_DOMAIN}'"
        story.check("with their old addresses", true=_count(shop, old) == OLD_CUSTOMERS)

    _wait_for_schedule(story, shop, counts)

    with story.step("A policy without a rule for a column is refused, with the line to add; no row was read"):
        _change(story, "forget a column", (UNCLASSIFIED, ""))
        refused = _ask(story, "preview", "Preview of the export prod → staging failed")
        story.check_text(slack_text(refused), "`phone` (text) has no rule", 'phone = { mask = "phone" }')


def _wait_for_schedule(story: Story, shop: ShopDatabases, counts: dict[str, int]) -> None:
    with story.step("Carol sets the schedule to every minute: it exports by itself, and needs no approval"):
        known = {one.ts for one in _exports(story)}
        _change(story, "export every minute", (NIGHTLY, EVERY_MINUTE))
        for _ in range(
            2
        ):  # the clock sees a new schedule within 15 seconds, perhaps after the first full minute
            minute = datetime.now(UTC).minute
            story.wait_for(
                "the export, or the next minute",
                partial(_due, story, known, minute),
            )
        done = _wait(story, DONE, known)
        story.check_text(slack_text(done), "by schedule")
        story.check("staging has masked data", true=_count(shop, "customers") == counts[CUSTOMERS])
        _change(story, "export every night again")


def _preview(story: Story) -> dict[str, int]:
    """Preview, and return the number of rows by table."""
    text = slack_text(_ask(story, "preview", "Preview of the export prod → staging is done"))
    found = re.findall(r"(\w+\.\w+)\W+([\d,]+) of [\d,]+", text)
    counts = {table: int(rows.replace(",", "")) for table, rows in found}
    story.check("it counts customers", true=counts.get(CUSTOMERS, 0) > 0, seen=text)
    story.check_text(text, "email", "password_resets")
    return counts


def _check_masked(story: Story, shop: ShopDatabases, counts: dict[str, int]) -> None:
    found = {table: _count(shop, table) for table in counts}
    story.check("the counts of the preview", true=found == counts, seen=f"{found}, not {counts}")
    prods = f"customers WHERE email LIKE '%@{PROD_DOMAIN}'"
    story.check("no address of prod's customers", true=_count(shop, prods) == 0)
    staff = f"hr.employees WHERE email LIKE '%@{PROD_DOMAIN}'"
    story.check("nor of its staff", true=_count(shop, staff) == 0)
    with psycopg.connect(shop.staging) as staging, psycopg.connect(shop.prod) as prod:
        names = "SELECT id, name FROM customers"
        same = set(staging.execute(names)) & set(prod.execute(names))
        for what, query in _DANGLING.items():
            left = staging.execute(query.encode()).fetchone()
            story.check(f"no {what}", true=left == (0,), seen=left)
    story.check("hardly a name is the same", true=len(same) < counts[CUSTOMERS] // 20, seen=len(same))


def _ask(story: Story, action: str, expected: str, user: str = "ann") -> Message:
    """Ask for an action in Slack, and wait for a new message about an export that says `expected`."""
    known = {one.ts for one in _exports(story)}
    story.slash(user, f"export staging {action}")
    return _wait(story, expected, known)


def _wait(story: Story, expected: str, known: Container[str] = ()) -> Message:
    found = story.wait_for(
        f"“{expected}” in Slack",
        lambda: _find(story, expected, known),
        lambda: [slack_text(one) for one in _exports(story)],
    )
    if found is None:
        raise LookupError(expected)
    return found


def _find(story: Story, expected: str, known: Container[str]) -> Message | None:
    return next((one for one in _exports(story) if one.ts not in known and expected in one.text), None)


def _due(story: Story, known: Container[str], minute: int) -> bool:
    return datetime.now(UTC).minute != minute or _find(story, DONE, known) is not None


def _exports(story: Story) -> list[Message]:
    """Return the messages about exports, oldest first."""
    return [one for one in story.world.slack.messages(CHANNEL) if Updates.kind(one) == "export"]


def _change(story: Story, summary: str, *edits: tuple[str, str]) -> None:
    change_policy(story, summary, *edits, path=PATH)


def _shop(story: Story) -> ShopDatabases:
    if story.world.shop is None:
        raise LookupError("this world has no databases")
    return story.world.shop


def _count(shop: ShopDatabases, what: str) -> int:
    with psycopg.connect(shop.staging) as connection:
        found = connection.execute(f"SELECT count(*) FROM {what}".encode()).fetchone()  # noqa: S608
    return int(found[0]) if found else 0


def _is_closed(client: psycopg.Connection) -> bool:
    try:
        client.execute("SELECT 1")
    except psycopg.OperationalError:
        return True
    return False
