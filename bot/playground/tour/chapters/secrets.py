"""Secrets come from a vault: what is missing is named, what is sealed is refused, and no value is ever shown."""

from __future__ import annotations

import json
from typing import Any

from bot.playground.tour.production_steps import wait_until_applied
from bot.playground.tour.pull_page import PullPage
from bot.playground.tour.registry import chapter
from bot.playground.tour.story import Story
from bot.playground.tour.text import slack_text
from bot.playground.tour.vault import SIGN_IN, Vault
from bot.playground.world import CHANNEL, REPOSITORY

FILE = "infra/database.tf"
DATABASE = """variable "db_host" {
  type = string
}

resource "playground_dns_record" "db" {
  name  = "db.${var.environment}.example.com"
  value = var.db_host
}
"""
VARIABLES = ["AWS_REGION", "PLAYGROUND_CLOUD_DIR", "PLAYGROUND_TOKEN", "TF_VAR_db_host"]
HOST = "db-7f3a.internal.example.com"


@chapter("secrets", "secrets come from a vault, what is missing is named, and no value is shown", order=190)
def secrets(story: Story) -> None:
    vault = Vault(story)
    token = story.world.token("staging")

    with story.step("An operator moves staging's token into a vault, and tells the bot how to ask it"):
        vault.put("staging", PLAYGROUND_TOKEN=token)
        vault.connect(remove="STAGING_PLAYGROUND_TOKEN", STAGING_AWS_REGION="eu-1")

    with story.step("Ann adds an input variable that has no value, and the plan says where to look"):
        page = story.propose("bigger-web")
        _push(story, page)
        story.wait_for(
            "the plan of the latest commit fails",
            lambda: page.check("staging").conclusion == "failure",
            lambda: page.check("staging"),
        )
        story.wait_for("and so does the row", lambda: "/secrets staging" in page.status, lambda: page.status)

    with story.step("/secrets names what is set, by which source, and what is missing, without values"):
        answer = _ask(story, page)
        story.check_text(answer, "1 input variable has no value", f"db_host for plans ({FILE} line 1)")
        story.check_text(answer, "Add db_host = … to envs/staging.tfvars, or set STAGING_TF_VAR_db_host")
        story.check_text(answer, "AWS_REGION (setting) | plans and applies | environment: STAGING_AWS_REGION")
        story.check_text(answer, "PLAYGROUND_TOKEN | plans and applies | secrets command")

    _planned(story, page, vault)
    _sealed(story, page, vault)

    with story.step("Slack and the operator's doctor say the same"):
        story.check_text(
            story.slash("ann", f"secrets staging #{page.number}"), "Secrets of staging", "TF_VAR_db_host"
        )
        staging = _of_staging(vault.doctor())
        names = [one["name"] for one in staging["variables"]]
        story.check("the same variables", true=names == VARIABLES, seen=names)
        story.check("none is missing", true=staging["missing"] == [], seen=staging["missing"])

    with story.step("No value was shown anywhere"):
        shown = json.dumps(page.timeline(), default=str) + story.world.bot.tail(10_000)
        shown += "\n".join(slack_text(one) for one in story.world.slack.messages(CHANNEL))
        for value in (HOST, token, SIGN_IN):
            story.check(f"not {value[:2]}…", true=value not in shown)


def _push(story: Story, page: PullPage) -> None:
    story.world.github.commit_files(
        REPOSITORY, page.branch, {FILE: DATABASE.encode()}, author=page.author, message="Database"
    )
    story.narrator.action(page.author, f"#{page.number}", f"pushes {FILE} with the variable `db_host`")


def _ask(story: Story, page: PullPage) -> str:
    before = len(page.replies)
    story.wait_for_reactions(page, story.comment(page, "/secrets staging"), "👍")
    return story.wait_for("an answer", lambda: page.reply("Secrets of staging", after=before))


def _planned(story: Story, page: PullPage, vault: Vault) -> None:
    with story.step("An operator stores the value, and the plan shows the region, which is no secret"):
        vault.put("staging", TF_VAR_db_host=HOST)
        story.check("nothing is missing", true="input variable" not in _ask(story, page))
        story.wait_for_reactions(page, story.comment(page, "/plan staging"), "👍")
        story.wait_for_plan(page, "staging")
        text = page.check("staging").text
        story.check_text(text, 'region = "eu-1"', 'value = "***"')
        story.check("the value is not in it", true=HOST not in text)


def _sealed(story: Story, page: PullPage, vault: Vault) -> None:
    with story.step("While the vault is sealed, an apply is refused before Terraform starts"):
        vault.seal()
        story.wait_for_reactions(page, story.comment(page, "/apply staging"), "👎")
        story.wait_for(
            "the reason",
            lambda: "The secrets of `staging` could not be read" in page.status,
            lambda: page.status,
        )
        story.check_text(page.status, "exited with 1", "towpath doctor")
        story.check("nothing was created", true=not story.resources("staging"))

    with story.step("Unsealed, the same plan is applied"):
        vault.unseal()
        story.wait_for_reactions(page, story.comment(page, "/apply staging"), "🚀")
        wait_until_applied(story, page, "staging")
        values = {one["value"] for one in story.world.clouds["staging"].things("dns_record").values()}
        story.check("with the value", true=HOST in values)


def _of_staging(printed: dict[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = next(one for one in printed["secrets"] if one["environment"] == "staging")
    return found
