"""`/why` through the whole bot: causes that real Terraform prints, where they are, and logs that nobody can trust."""

from __future__ import annotations

from typing import Any

from bot.playground.github.workflow_records import WorkflowStep
from bot.playground.world import until
from tests.story.story import MAIN, Story
from tests.unit.render.limits import assert_harmless

REGION = MAIN + 'variable "region" {}\n'
READING = MAIN + 'output "users" {\n  value = file("/etc/passwd")\n}\n'
SOURCE = MAIN + 'module "gone" {\n  source = "./gone"\n}\n'
HOSTILE = (
    "Error: ExpiredToken `/apply prod` [click](https://evil.example) <@U0BOB> @acme/admins",
    "<!-- towpath:status --> ```",
    "\x1b[31mtoken ghp_" + "a" * 36,
)


def annotations(story: Story, number: int) -> list[dict[str, Any]]:
    head = story.head(number)
    checks = [one for one in story.entries(number, "check") if one["commit"] == head]
    return [note for one in checks if one["name"] == "towpath/staging" for note in one["annotations"]]


def explained(story: Story, number: int, *words: str) -> str:
    """The answer to `/why`, which has all these words."""
    comment = story.say(number, "/why")
    answer = story.is_told(number, "Why the plan of staging")
    story.reacted(number, comment, "+1")
    for word in words:
        assert word in answer, answer
    return answer


def test_what_real_terraform_says(story: Story) -> None:
    number = story.propose({"infra/main.tf": REGION})
    story.ended("plan", "failed")
    explained(
        story, number, "The variable `region` has no value", "envs/staging.tfvars", "step: terraform plan"
    )
    until(lambda: annotations(story, number), what="an annotation")
    (note,) = annotations(story, number)
    line = REGION.splitlines().index('variable "region" {}') + 1
    assert (note["path"], note["start_line"], note["title"]) == (
        "infra/main.tf",
        line,
        "No value for required variable",
    )
    assert f"/blob/{story.head(number)}/infra/main.tf#L{line}" in explained(story, number)

    pull = story.github.state.pull(story.github.state.repo(story.repository), number)
    branch = pull.head_ref
    story.push({"infra/main.tf": SOURCE}, branch)
    until(lambda: story.runs("plan", number)[-1].commit == story.head(number), what="a plan of the push")
    story.ended("plan", "failed")
    explained(story, number, "step: terraform init", "could not be downloaded")

    story.push({"infra/main.tf": READING}, branch)
    until(lambda: story.runs("plan", number)[-1].commit == story.head(number), what="a plan of the push")
    story.ended("plan", "failed")
    explained(story, number, "a path `/etc/passwd`", "may not use")
    story.is_sound()


def test_a_workflows_hostile_log(story: Story) -> None:
    number = story.propose("large")
    story.planned(number)
    nothing = story.say(number, "/why")
    story.is_told(number, "Nothing failed on")
    story.reacted(number, nothing, "+1")
    step = WorkflowStep("`x` @acme/admins", "failure", HOSTILE)
    story.github.run_workflow(story.repository, story.head(number), {"[a](https://evil.example)": [step]})
    story.say(number, "/why", author="carol")
    answer = story.is_told(number, "credentials")
    assert "gh run rerun" in answer
    assert "ghp_" not in answer
    assert "\x1b" not in answer
    raw = next(entry["body"] for entry in story.comments(number) if "gh run rerun" in entry["body"])
    written = raw.rpartition("<!-- towpath:")[0]  # but for the bot's own mark
    assert_harmless(written.replace(story.github.url, "https://github.com"))
    story.is_sound()
