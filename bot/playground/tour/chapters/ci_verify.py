"""ci applies each push to the pull request's own instance, checks it, and destroys it."""

from __future__ import annotations

from bot.playground.tour.production_steps import change_policy
from bot.playground.tour.pull_page import PullPage
from bot.playground.tour.registry import chapter
from bot.playground.tour.story import Story

PLAN = '[env.ci]\non_pull_request = "plan"\n'
VERIFY = (
    '[env.ci]\non_pull_request = "verify"\n'
    'smoke = [{ http = "{output.url}/healthz", status = 200, within = "2s", every = "1s" }]\n'
)


@chapter("ci-verify", "ci applies a push, checks it, and destroys it again", order=22)
def ci_verify(story: Story) -> None:
    with story.step("The policy has ci verify every push"):
        change_policy(story, "verify in ci", (PLAN, VERIFY))

    with story.step("Ann's pull request is applied to its own ci, checked, and destroyed"):
        page = story.propose("add-server")
        _wait_for_state(story, page, "verified, then destroyed")
        story.check("nothing is left", true=not story.resources("ci"), seen=story.resources("ci"))
        _wait_for_check(story, page, "success")

    with story.step("A push whose servers are not healthy fails the check, and is destroyed, too"):
        story.world.clouds["ci"].set_unhealthy("the service does not start")
        story.push(page, "bigger-web")
        _wait_for_state(story, page, "smoke checks failed; destroyed")
        story.check("nothing is left", true=not story.resources("ci"), seen=story.resources("ci"))
        _wait_for_check(story, page, "failure")
        story.world.clouds["ci"].set_unhealthy("")

    with story.step("A push that cannot be applied fails it as well: what it had made is gone"):
        story.world.clouds["ci"].faults(
            {f"create:playground_server.ci-pr-{page.number}-web": {"error": "409: quota", "times": 1}}
        )
        story.push(page, "new-image")
        _wait_for_check(story, page, "failure")
        story.wait_for("nothing is left", lambda: not _left(story), lambda: _left(story))
        story.check_text(page.check("ci").summary, "409: quota")


def _wait_for_state(story: Story, page: PullPage, words: str) -> None:
    story.wait_for(
        f"ci: {words}", lambda: words in page.row("ci")["State"], lambda: f"{page.status}\n{page.check('ci')}"
    )


def _wait_for_check(story: Story, page: PullPage, conclusion: str) -> None:
    story.wait_for(
        f"towpath/ci: {conclusion}",
        lambda: page.check("ci").conclusion == conclusion,
        lambda: page.check("ci"),
    )


def _left(story: Story) -> list[str]:
    return [name for kind in ("server", "cluster", "dns_record") for name in story.resources("ci", kind)]
