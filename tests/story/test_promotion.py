"""What goes to production: only the newest release of the stage before, this very commit, verified, soaked."""

from __future__ import annotations

import json
from datetime import timedelta

import pytest

from bot.domain.ports.state import Author
from bot.domain.states.model import StateInfo
from bot.playground.world import World, until
from bot.storage.database import Database
from bot.vault import Vault
from tests.story.holds import Holds
from tests.story.production import Production, other
from tests.story.test_crashes import again

NOBODY = "approvals = { count = 0 }"
"""Promotion alone, without consent."""
BROKEN = """
resource "terraform_data" "broken" {
  provisioner "local-exec" {
    command = "test ! -e '{marks}/broken'"
  }
}
"""


def test_what_staging_has_not(world: World, holds: Holds) -> None:
    """Nothing there; another pull request's release; not the newest commit; then the right one, by `/promote`."""
    story = Production(world, holds, prod=NOBODY)
    anns = story.propose("medium")
    story.planned(anns)
    story.refused(anns, "/apply prod", "Nothing verified on staging yet", "`/apply staging`")
    assert not [run for run in story.runs("plan") if run.target.environment == "prod"], (
        "no plan saw its secrets"
    )
    story.on_staging(anns)
    bobs = story.propose("large", author="bob")
    story.planned(bobs)
    story.refused(bobs, "/promote prod", f"from #{anns}", f"`{story.head(bobs)[:7]}`", author="bob")
    story.push("larger", story.branch(anns))
    story.planned(anns)
    story.refused(anns, "/apply prod", "only the latest release on staging can be promoted")
    story.on_staging(anns)
    story.say(anns, "/promote prod")
    story.planned(anns, "prod")
    story.goes(anns)
    assert story.released("prod").commit == story.released("staging").commit == story.head(anns)
    story.is_sound()


def test_a_locked_environment_asks_nobody(world: World, holds: Holds) -> None:
    """A lock by hand refuses an apply that has no plan yet as well: no plan, no question, a place in the list."""
    story = Production(world, holds)
    number = story.promoted()
    story.accepted(number, "/lock prod an incident", "locked", author="ann")
    story.refused(number, "/apply prod", "is locked by", "an incident", "waiting list")
    assert story.approvals(number) == []
    assert not [run for run in story.runs("plan") if run.target.environment == "prod"]
    story.accepted(number, "/unlock prod", "was unlocked by", author="ann")
    story.asks(number)
    story.is_sound()


@pytest.mark.own_world
def test_what_does_not_stand_on_staging(world: World, holds: Holds) -> None:
    """A later apply there failed, or was killed: the release before it counts no more until another one is verified."""
    story = Production(world, holds, prod=NOBODY)
    change = other("large", BROKEN.replace("{marks}", str(holds.directory)))
    number = story.promoted(other("medium"))
    story.push(change, story.branch(number))
    story.planned(number)
    holds.hold("broken")
    story.reacted(number, story.say(number, "/apply staging"), "-1")
    story.refused(number, "/apply prod", "is no longer deployed: a later apply did not succeed")
    holds.release("broken")
    story.on_staging_again(number)
    story.say(number, "/apply prod")
    story.planned(number, "prod")
    holds.hold("apply")
    before = len(holds.calls("apply"))
    story.say(number, "/plan staging")
    until(lambda: len(story.runs("plan", number)) >= 5, what="another plan")
    story.planned(number)
    comment = story.say(number, "/apply staging")
    holds.await_call("apply", before + 1)
    story.refused(number, "/apply prod", f"An apply of #{number} is running on staging")
    world.bot.kill()
    holds.release("apply")
    world.bot.start()
    story.reacted(number, comment, "-1")
    story.refused(number, "/apply prod", "is no longer deployed: a later apply did not succeed")
    story.on_staging_again(number)
    story.goes(number)
    story.is_sound()


def test_a_state_that_somebody_changed(world: World, holds: Holds) -> None:
    """A laptop writes into staging's state, and then deletes it: what was verified does not stand there any more."""
    story = Production(world, holds, prod=NOBODY)
    number = story.promoted()
    key = story.target("staging").key
    environment = world.environment()
    url = f"sqlite:///{environment['TOWPATH_DATA_DIR']}/towpath.db"
    database = Database(url, Vault(environment["TOWPATH_SECRET_KEY"]))
    with database.begin() as tables:
        found = tables.states.current(key)
        assert found is not None
        state = json.loads(found[1])
        state["serial"] += 1
        data = json.dumps(state).encode()
        tables.states.append(key, data, StateInfo.parse(data), Author(actor="ann"))
    story.refused(number, "/apply prod", "The state of staging changed since its release")
    story.on_staging_again(number)
    with database.begin() as tables:
        tables.states.end(key)
    database.close()
    story.refused(number, "/apply prod", "it was deleted")
    story.is_sound()


def test_smoke_checks_that_fail(world: World, holds: Holds) -> None:
    """They are why it goes no further, until they were made once more and passed."""
    story = Production(world, holds, prod=NOBODY, smoke="1s")
    number = story.propose()
    story.planned(number)
    holds.hold("sick")
    story.reacted(number, story.say(number, "/apply staging"), "rocket")
    story.refused(number, "/apply prod", "The smoke checks of staging failed", "Fix it and push")
    holds.release("sick")
    story.on_staging_again(number)
    story.say(number, "/apply prod")
    story.planned(number, "prod")
    story.goes(number)
    story.is_sound()


@pytest.mark.own_world
def test_smoke_checks_and_soak(world: World, holds: Holds) -> None:
    """Running, then not yet soaked: `when-approved` waits for both, over restarts, and goes once."""
    story = Production(world, holds, prod='approvals = { count = 1 }\nsoak = "8s"', smoke="60s")
    number = story.propose()
    story.planned(number)
    holds.hold("smoke")
    comment = story.say(number, "/apply staging")
    until((holds.directory / "checks").exists, what="the smoke check")
    story.asks(number, "when-approved")
    story.accepted(number, "/approve prod", "nothing else is needed")
    story.refused(number, "/apply prod", f"An apply of #{number} is running on staging")
    again(world)
    holds.release("smoke")
    story.reacted(number, comment, "rocket")
    soaked = story.released("staging").soaked_at(timedelta(seconds=8))
    story.refused(number, "/apply prod", "Soaking on staging until", "UTC (8 s)", "when-approved")
    again(world)
    run = story.awaits_prod()
    assert run.created_at is not None
    assert run.created_at >= soaked
    again(world)
    story.refused(number, "/apply prod", "already applied")
    assert len(story.on_prod()) == 1
    story.is_sound()


def test_a_change_of_prods_variables_alone(world: World, holds: Holds) -> None:
    """Staging's plan has no changes, and applying it is a release all the same: so it can go on to prod."""
    story = Production(world, holds, prod=NOBODY)
    first = story.promoted()
    story.say(first, "/apply prod")
    story.planned(first, "prod")
    story.goes(first)
    story.github.merge_pull(story.repository, first, actor="ann")
    number = story.propose({"envs/prod.tfvars": b'env = "production"\n'})
    story.planned(number)
    with story.tables() as tables:
        plan = tables.plans.newest(story.target("staging"), number)
        assert plan is not None
        assert not plan.has_changes
    story.refused(
        number, "/apply prod", f"staging has `{story.released('staging').commit[:7]}` from #{first}"
    )
    story.on_staging(number)
    story.say(number, "/apply prod")
    story.planned(number, "prod")
    story.goes(number)
    assert [run.pull for run in story.on_prod()] == [first, number]
    story.is_sound()


def test_the_policy_that_changed(world: World, holds: Holds) -> None:
    """A policy that breaks, on the default branch, while staging is applied: what was applied is told as such, is not
    verified, and goes nowhere."""
    story = Production(world, holds, prod=NOBODY)
    number = story.propose()
    story.planned(number)
    holds.hold("apply")
    comment = story.say(number, "/apply staging")
    holds.await_call("apply")
    story.push({"envs/environments.toml": b"nonsense = ["}, "main", author="carol")
    holds.release("apply")
    story.reacted(number, comment, "rocket")
    assert "no longer says how to verify `staging`" in story.ended("apply", "applied").message
    assert not story.released("staging").verified
    story.push({"envs/environments.toml": story.policy.encode()}, "main", author="carol")
    until(lambda: "prod" in story.status(number), what="the policy that is whole again")
    story.refused(number, "/apply prod", "The smoke checks of staging failed")
    story.on_staging_again(number)
    story.say(number, "/apply prod")
    story.planned(number, "prod")
    story.goes(number)
    story.is_sound()
