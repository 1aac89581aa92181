"""What guards an environment is not gone round by somebody's own Terraform."""

from __future__ import annotations

from pathlib import Path

import pytest

from bot.domain.actors import Actor
from bot.domain.hold import Hold
from bot.playground.world import World
from bot.storage.database import Database
from bot.vault import Vault
from tests.story.holds import Holds
from tests.story.production import APPROVALS, Production
from tests.story.story import Story
from tests.story.test_laptops import Laptop, login

OPEN = 'freeze = [{ deny = "0 0 1 1 *", for = "1s" }]'


def test_production_takes_nothing_from_a_laptop(
    world: World, holds: Holds, terraform: str, tmp_path: Path
) -> None:
    """It plans; an apply, an import or a `state rm` is refused in words that name the way, and recorded."""
    story = Production(world, holds, prod=APPROVALS)
    given = login(story, "carol", environment="prod").json()
    assert given["note"].startswith("You can only plan: prod cannot be changed from a laptop")
    assert login(story, "carol").json()["note"] == ""
    laptop = Laptop(tmp_path / "laptop", terraform, given).init()
    assert "1 to add" in laptop.run("plan", "-no-color")
    told = laptop.run("apply", "-no-color", "-auto-approve", ok=False)
    assert (
        "prod cannot be changed from a laptop: its policy enforces promotion from staging and approvals. "
        "Use /apply prod in a pull request, or /apply prod --force <reason> in an emergency." in told
    )
    assert "cannot be changed from a laptop" in laptop.run(
        "import", "-no-color", "terraform_data.web", "1", ok=False
    )
    with story.tables() as tables:
        assert tables.states.locked(story.target("prod").key) is None
        assert tables.locks.get(story.target("prod")) is None
        assert tables.states.newest(story.target("prod").key) is None
    (first, *_more) = story.audit("lock.refused")
    assert (first.login, first.facts["operation"]) == ("carol", "OperationTypeApply")


@pytest.mark.parametrize(
    ("policy", "said"),
    [
        (OPEN, "its policy enforces freeze windows"),
        ("laptop = false", "its policy says laptop = false"),
        (f"{OPEN}\nlaptop = true", ""),
        (
            'freeze = [{ allow = "0 0 29 2 *", for = "1s", reason = "leap days" }]\nlaptop = true',
            "is frozen until",
        ),
    ],
)
def test_what_the_policy_says_of_laptops(
    world: World, holds: Holds, terraform: str, tmp_path: Path, policy: str, said: str
) -> None:
    """By default none where a freeze guards; `laptop = true` lets them, but for a freeze that is on."""
    story = Production(world, holds, staging=policy, prod="laptop = false")
    laptop = Laptop(tmp_path / "laptop", terraform, login(story, "ann").json()).init()
    told = laptop.run("apply", "-no-color", "-auto-approve", ok=not said)
    assert (said or "Apply complete") in told


def test_a_hold_stops_laptops(story: Story, world: World, terraform: str, tmp_path: Path) -> None:
    """Which commit a laptop applies is not known: after a revert it waits for `/unhold`."""
    number = story.propose("medium")
    story.planned(number)
    laptop = Laptop(tmp_path / "laptop", terraform, login(story, "ann").json()).init()
    target, now = story.target(), story.runs()[-1].created_at
    environment = world.environment()
    database = Database(
        f"sqlite:///{environment['TOWPATH_DATA_DIR']}/towpath.db", Vault(environment["TOWPATH_SECRET_KEY"])
    )
    assert now is not None
    with database.begin() as tables:
        tables.holds.pin(Hold(target, "r", "a" * 40, "b" * 40, "run", number, Actor("bob"), now))
    database.close()
    assert "1 to add" in laptop.run("plan", "-no-color")
    told = laptop.run("apply", "-no-color", "-auto-approve", ok=False)
    assert "staging is on hold at aaaaaaa since @bob reverted it on" in told
    assert "/unhold staging in a pull request lifts the hold." in told
    story.reacted(number, story.say(number, "/unhold staging"), "+1")
    assert "Apply complete" in laptop.run("apply", "-no-color", "-auto-approve")
