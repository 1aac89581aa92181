"""Repositories that nobody expected: each gets a plan, or one clear sentence, and never a fault."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.story.story import MAIN, Story

EVIL = "x' [Sign in](https://evil.example) <@U0BOB> <!channel> @everyone"


def marked_up(block: object) -> Iterator[str]:
    """The texts of blocks in which Slack looks for links and mentions; in plain ones it does not."""
    if isinstance(block, dict):
        if block.get("type") == "mrkdwn":
            yield str(block["text"])
        block = list(block.values())
    if isinstance(block, list):
        for inner in block:
            yield from marked_up(inner)


@pytest.mark.parametrize(
    ("files", "said"),
    [
        ({"infra/more.tf": "", ".towpath": "mine"}, "The name `.towpath` is reserved for Towpath"),
        (
            {"infra/more.tf": "", ".towpath/inner/plan.tfplan": "mine"},
            "The name `.towpath` is reserved for Towpath",
        ),
        ({"infra/main.tf": None, "infra/README.md": "moved"}, "`infra` has no Terraform files"),
        ({"infra/main.tf": 'resource "a" "b" {\n  x = "\n'}, "the string on line 2 is not closed"),
        ({"infra/main.tf": "version https://git-lfs.github.com/spec/v1\n"}, "is a Git LFS pointer"),
    ],
)
def test_refused_in_one_sentence(story: Story, files: dict[str, str | bytes | None], said: str) -> None:
    number = story.propose(files)
    run = story.ended("plan", "refused")
    assert said in run.message
    assert run.next_step
    assert not run.reference
    story.sees(number, said)
    story.is_sound()


def test_what_is_planned_and_applied_all_the_same(story: Story) -> None:
    """Numbers that no other program reads, names with line ends, files that look like Terraform's own."""
    odd = 'resource "terraform_data" "big" {\n  input = 1e5000\n}\noutput "big" {\n  value = 1e5000\n}\n'
    number = story.propose(
        {
            "infra/main.tf": MAIN.replace("SIZE", "large"),
            "infra/odd\nname `x`.tf": odd,
            "infra/.terraform/environment": "elsewhere",
            "infra/.terraformrc": "provider_installation {}\n",
            "infra/terraform.tfstate": "",
        }
    )
    story.planned(number)
    story.applied(number)
    story.is_sound()


def test_words_of_the_configuration_are_no_words_of_the_bot(story: Story) -> None:
    """A link or a mention in a backend's name or in an error goes nowhere, on GitHub and in Slack."""
    label = f'terraform {{\n  backend "{EVIL}" {{}}\n}}\n'.replace("x'", "x`")
    first = story.propose({"infra/backend.tf": label}, title=EVIL)
    story.ended("plan", "refused")
    shown = [story.sees(first, "block")]
    wrong = f'variable "x" {{\n  default = 1\n  validation {{\n    condition = var.x == 2\n    error_message = "{EVIL}"\n  }}\n}}\n'
    second = story.propose({"infra/wrong.tf": wrong})
    shown.append(story.sees(second, "Invalid value for variable"))
    for body in shown:
        assert "](https://evil" not in body
    messages = story.world.slack.messages("#infra")
    texts = [found for message in messages for found in marked_up(message.blocks)]
    said = "\n".join([*(message.text for message in messages), *texts])
    assert "evil.example" in said
    for live in ("<https://evil", "<@U0BOB>", "<!channel>"):
        assert live not in said
    story.is_sound()
