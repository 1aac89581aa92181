"""A person's own Terraform and the bot keep each other out, and each is told who the other is."""

from __future__ import annotations

from bot.playground.tour.laptop import Laptop
from bot.playground.tour.production import applied, untouched
from bot.playground.tour.pull import PullPage
from bot.playground.tour.registry import chapter
from bot.playground.tour.story import Story

VARIABLES = "-var-file=../envs/staging.tfvars"


@chapter("laptop-lock", "Terraform on a laptop and the bot keep each other out", place=170)
def laptop_lock(story: Story) -> None:
    with story.step("Ann's pull request is planned; Bob gets credentials for staging's state for his laptop"):
        page = story.propose("more-nodes")
        laptop = Laptop(story, "bob", "staging")
        laptop.login()
        story.stands(page, "staging")

    _bob(story, page, laptop)
    _ann(story, page)

    with story.step("Now staging is claimed by her pull request: Bob may still plan"):
        story.reads(laptop.terraform("plan", VARIABLES), "0 to add, 1 to change, 0 to destroy")

    with story.step("His apply is refused, naming the claim; nothing is changed"):
        told = laptop.terraform("apply", VARIABLES, "-auto-approve", ok=False)
        story.reads(told, f"staging is locked by #{page.number}", "/unlock staging")
        _nodes(story, 3)

    with story.step("Ann lets go of staging, and his goes"):
        story.reacts(page, story.say(page, "/unlock staging"), "👍")
        story.reads(laptop.terraform("apply", VARIABLES, "-auto-approve"), "Apply complete")
        _nodes(story, 2)


def _bob(story: Story, page: PullPage, laptop: Laptop) -> None:
    with story.step("Bob applies main from his laptop; Terraform holds the state, and waits for his yes"):
        applying = laptop.applying()
        applying.__enter__()
