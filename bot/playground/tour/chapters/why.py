"""What failed is explained: the file and line, the cause, and what to do next; also for GitHub Actions."""

from __future__ import annotations

from bot.playground.github.workflow_records import WorkflowStep
from bot.playground.tour.pull_page import PullPage
from bot.playground.tour.registry import chapter
from bot.playground.tour.story import Story
from bot.playground.world import REPOSITORY

SERVERS = "infra/servers.tf"
QUOTA = "403: QuotaExceeded: your account may have 3 servers"
INIT = (
    "Initializing the backend...",
    "╷",
    "│ Error: No valid credential sources found",
    "│ ",
    "│ Please see https://www.terraform.io/docs/language/settings/backends/s3.html",
    "│ for more information about providing credentials.",
    "╵",
)


@chapter("why", "failures are explained, with the file and line and the next command", order=175)
def why(story: Story) -> None:
    page = _broken(story)
    _quota(story, page)
    _workflow(story, page)


def _broken(story: Story) -> PullPage:
    with story.step("Ann's change refers to something that does not exist: the check points at the line"):
        page = story.propose("broken")
        story.wait_for(
            "the check of staging failed",
            lambda: page.check("staging").conclusion == "failure",
            lambda: page.check("staging"),
        )
        notes = page.annotations("staging")
        places = {(one["path"], one["title"]) for one in notes}
        story.check(
            "an annotation at the line",
            true=(SERVERS, "Reference to undeclared local value") in places,
            seen=notes,
        )
        story.check("each error once", true=len(notes) == len({str(one) for one in notes}), seen=notes)

    with story.step("She asks why: the failing step, the error, where it is, and what to do"):
        answer = _ask(story, page, "/why staging", "Why the plan of staging failed")
        story.check_text(answer, "Terraform rejects the configuration", f"{SERVERS} line", "terraform plan")
        story.check_text(answer, "serverz", "Next: Fix it and push", "Last lines of the log")
    return page


def _quota(story: Story, page: PullPage) -> None:
    with story.step("She fixes it; then the apply fails, since the account may have no more servers"):
        story.push(page, "add-server")
        story.wait_for_plan(page, "staging")
        story.check(
            "no annotation is left", true=page.annotations("staging") == [], seen=page.check("staging")
        )
        story.world.clouds["staging"].faults({"create:playground_server.*": QUOTA})
        story.wait_for_reactions(page, story.comment(page, "/apply staging"), "👎")

    with story.step("The check points at the resource that could not be created"):
        place = ("infra/modules/server/main.tf", "Cannot create server 'staging-web'")
        story.wait_for(
            "an annotation at the resource",
            lambda: place in {(one["path"], one["title"]) for one in page.annotations("staging")},
            lambda: page.annotations("staging"),
        )

    with story.step("/why names the cause, and the command that tries again"):
        answer = _ask(story, page, "/why", "Why the apply of staging failed")
        story.check_text(answer, "A quota or limit", QUOTA, "terraform apply", "then run /plan staging")

    with story.step("The command works when pasted, and /why says that it is over"):
        story.world.clouds["staging"].faults({})
        story.wait_for_reactions(page, story.comment(page, "/plan staging"), "👍")
        story.wait_for_plan(page, "staging")
        story.wait_for(
            "the new plan's check has no annotation",
            lambda: page.annotations("staging") == [],
            lambda: page.annotations("staging"),
        )
        story.wait_for_reactions(page, story.comment(page, "/apply staging"), "🚀")
        answer = _ask(story, page, "/why", "A later apply of staging succeeded")
        story.check_text(answer, "Why the apply of staging failed")


def _workflow(story: Story, page: PullPage) -> None:
    with story.step("A workflow of GitHub Actions fails on the same commit"):
        steps = (
            WorkflowStep("actions/checkout@v5"),
            WorkflowStep("terraform init", "failure", INIT),
            WorkflowStep("Post job cleanup", lines=("Cleaning up orphan processes",)),
        )
        run = story.world.github.run_workflow(REPOSITORY, page.head, {"validate": steps})
        story.narrator.action("GitHub Actions", f"#{page.number}", "CI / validate fails")

    with story.step("Bob asks in Slack: the answer has that, too, read from the job's log"):
        answer = story.slash("U0BOB", f"why #{page.number}")
        story.check_text(answer, "Why CI / validate failed", "credentials", "terraform init")
        story.check_text(answer, "No valid credential sources found", f"gh run rerun {run.id} --failed")
        story.check("only the failing step", true="orphan processes" not in answer, seen=answer)


def _ask(story: Story, page: PullPage, command: str, words: str) -> str:
    before = len(page.replies)
    story.wait_for_reactions(page, story.comment(page, command), "👍")
    return story.wait_for(
        f"the answer: {words}",
        lambda: page.reply(words, after=before),
        lambda: page.replies[before:],
    )
