"""Terraform on a user's machine and the bot respect each other's locks, and say who holds them."""

from __future__ import annotations

from bot.playground.tour.laptop import VARIABLES, Laptop
from bot.playground.tour.production_steps import check_no_servers, wait_until_applied
from bot.playground.tour.pull_page import PullPage
from bot.playground.tour.registry import chapter
from bot.playground.tour.story import Story


@chapter("laptop-lock", "Terraform on a laptop and the bot respect each other's locks", order=170)
def laptop_lock(story: Story) -> None:
    laptop = Laptop(story, "bob")
    try:
        with story.step("Ann's pull request is planned; Bob logs in to staging's state from his laptop"):
            page = story.propose("more-nodes")
            laptop.login()
            story.wait_for_plan(page, "staging")
        _bob(story, page, laptop)
        _ann(story, page)
        _bob_after_ann(story, page, laptop)
    finally:
        laptop.close()


def _bob(story: Story, page: PullPage, laptop: Laptop) -> None:
    with story.step("Bob applies main from his laptop; Terraform locks the state and asks for confirmation"):
        laptop.start("apply", VARIABLES)
        laptop.wait_for_prompt()
        story.wait_for(
            "the status comment names him",
            lambda: "@bob" in page.row("staging")["State"],
            lambda: page.status,
        )

    with story.step("Ann's /apply is refused: who holds the lock, why, and how to release it"):
        story.wait_for_reactions(page, story.comment(page, "/apply staging"), "👎")
        answer = story.wait_for("an answer", lambda: page.reply("staging is locked by"), lambda: page.replies)
        story.check_text(answer, "@bob", "Terraform on a laptop", "/unlock staging")
        check_no_servers(story, "staging")

    with story.step("Bob confirms: his change is applied, and Terraform releases the lock"):
        laptop.confirm()
        story.check_text(laptop.output, "Apply complete! Resources: 3 added")
        _check_nodes(story, 2)
        story.wait_for(
            "the status comment no longer names him",
            lambda: "@bob" not in page.row("staging")["State"],
            lambda: page.status,
        )


def _ann(story: Story, page: PullPage) -> None:
    with story.step("Ann's plan is outdated by the new state; she plans again and applies"):
        story.wait_for_reactions(page, story.comment(page, "/plan staging"), "👍")
        story.check_text(story.wait_for_plan(page, "staging")["Plan"], "+0 ~1 -0")
        story.wait_for_reactions(page, story.comment(page, "/apply staging"), "🚀")
        wait_until_applied(story, page, "staging")
        _check_nodes(story, 3)

    with story.step("The history shows both applies"):
        story.wait_for_reactions(page, story.comment(page, "/history staging"), "👍")
        history = story.wait_for("an answer", lambda: page.reply("State versions of staging"))
        story.check_text(history, "bob", "ann", page.head[:7])


def _bob_after_ann(story: Story, page: PullPage, laptop: Laptop) -> None:
    with story.step("Now her pull request holds the lock: Bob may plan, but not apply"):
        laptop.start("plan", VARIABLES)
        story.check_text(laptop.finish(), "0 to add, 1 to change, 0 to destroy")
        laptop.start("apply", VARIABLES, "-auto-approve")
        story.check_text(
            laptop.finish(ok=False),
            f"staging is locked: #{page.number} (@ann) has held the lock",
            "/unlock staging",
        )
        _check_nodes(story, 3)

    with story.step("Ann releases the lock, and Bob can apply"):
        story.wait_for_reactions(page, story.comment(page, "/unlock staging"), "👍")
        laptop.start("apply", VARIABLES, "-auto-approve")
        story.check_text(laptop.finish(), "Apply complete")
        _check_nodes(story, 2)


def _check_nodes(story: Story, wanted: int) -> None:
    nodes = [one["nodes"] for one in story.world.clouds["staging"].things("cluster").values()]
    story.check(f"the cluster has {wanted} nodes", true=nodes == [wanted], seen=nodes)
