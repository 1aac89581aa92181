"""Values that the cloud fills in after an apply, as AWS does: nobody touched anything, so there is no drift."""

from __future__ import annotations

from typing import Any

import pytest

from bot.playground.provider import Cloud
from bot.playground.world import World, until
from tests.fixtures.world import MakeWorld
from tests.story.drifts import Drifting, rounds
from tests.story.holds import Holds

RESOURCES = """
resource "playground_policy" "reader" {
  name     = "reader"
  document = "{}"
}
resource "playground_attachment" "reader" {
  name      = "reader"
  policy_id = playground_policy.reader.id
  role      = "ROLE"
}
resource "playground_firewall" "web" {
  name = "web"
}
resource "playground_firewall_rule" "all" {
  name        = "all"
  firewall_id = playground_firewall.web.id
  way         = "ingress"
  cidr        = "10.0.0.0/8"
}
output "attached" {
  value = playground_policy.reader.attachment_count
}
"""
LATE = ("tags", "attachment_count", "from_port", "egress")


class Late(Drifting):
    """A policy and a firewall in staging's cloud, whose attributes are only complete once both have been read again."""

    def main(self, size: str) -> bytes:
        return (self._main + RESOURCES.replace("ROLE", size)).encode()

    @property
    def cloud(self) -> Cloud:
        return self.world.clouds["staging"]

    def change(self, kind: str, **values: Any) -> None:
        """Somebody does it in the cloud's own console."""
        ((key, thing),) = self.cloud.things(kind).items()
        self.cloud.put(kind, key, thing | values)

    def open_by_hand(self, cidr: str) -> None:
        """A rule that Terraform knows nothing of, so that no plan acts on it."""
        ((_key, rule),) = self.cloud.things("firewall_rule").items()
        self.cloud.put("firewall_rule", "by-hand", rule | {"id": "by-hand", "name": "by-hand", "cidr": cidr})


def test_nothing_was_touched(world: World, holds: Holds) -> None:
    """Neither `/drift`, nor a second one, nor the plan of the next pull request reports what the cloud filled in."""
    story = Late(world, holds)
    number = story.released("app")
    for said in (story.asks(number, "no drift"), story.asks(number, "no drift")):
        assert not [name for name in LATE if name in said]
    assert story.findings() == []
    assert story.channel("has drifted") == []
    story.closed(number)
    other = story.propose({"infra/main.tf": story.main("operator")})
    status = story.planned(other)
    assert "role" in status
    assert "outside Terraform" not in status
    assert not [name for name in LATE if f"{name} =" in status]
    story.is_sound()


def test_the_next_plan_without_any_check(world: World, holds: Holds) -> None:
    """Its comment does not repeat late values either where nobody ever asked for drift."""
    story = Late(world, holds)
    story.closed(story.released("app"))
    other = story.propose({"infra/main.tf": story.main("operator")})
    assert "outside Terraform" not in story.planned(other)
    story.is_sound()


def test_changed_by_hand_before_the_first_check(world: World, holds: Holds) -> None:
    """It is found although the same refresh is the baseline, and the late values are not reported with it."""
    story = Late(world, holds)
    number = story.released("app")
    story.change("policy", document="{admin}")
    said = story.asks(number, "1 resource changed outside Terraform, 1 change pending")
    assert "{admin}" in said
    assert not [name for name in LATE if f"{name} =" in said]
    said = story.asks(number, "1 resource changed outside Terraform, 1 change pending")
    assert "Unchanged since" in said, "the baseline does not hide it"
    story.closed(number)
    status = story.planned(story.propose({"infra/main.tf": story.main("operator")}))
    assert "Changed outside Terraform" in status
    assert "attachment_count" not in status
    story.is_sound()


def test_changed_by_hand_after_the_first_check(world: World, holds: Holds) -> None:
    """What a plan changes back is drift; what none acts on is listed in the answer, and raises no alarm."""
    story = Late(world, holds)
    number = story.released("app")
    story.asks(number, "no drift")
    story.open_by_hand("0.0.0.0/0")
    said = story.asks(number, "no drift")
    assert "1 resource changed outside Terraform in values that no plan acts on" in said
    assert "0.0.0.0/0" in said
    assert not [name for name in LATE if f"{name} =" in said]
    assert story.findings() == []
    ((key, _),) = story.cloud.things("attachment").items()
    story.cloud.drop("attachment", key)
    said = story.asks(number, "1 resource changed outside Terraform, ")
    assert "playground_attachment.reader" in said
    until(lambda: story.channel("staging has drifted"), what="the message in Slack")
    story.is_sound()


@pytest.mark.long
def test_the_schedule_after_an_apply(
    make_world: MakeWorld, holds: Holds, both_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The first check after each apply is due at once, records the baseline of that state, and raises no alarm."""
    world = make_world(database_url=both_url)
    story = Late(world, holds, every="5m")
    number = story.released("app")
    with rounds(world, monkeypatch) as schedule:
        baselines = []
        for role in ("operator", "auditor"):
            known = len(story.looks())
            schedule.turn()
            until(lambda known=known: len(story.looks()) > known, what="the look")  # type: ignore[misc]
            story.ended("drift", "checked")
            with story.tables() as tables:
                state = tables.states.newest_of([story.target().key])[story.target().key]
                baselines.append(tables.baselines.at(story.target(), state.lineage, state.serial))
            story.closed(number)
            number = story.propose({"infra/main.tf": story.main(role)})
            story.planned(number)
            story.applied(number)
    assert None not in baselines
    assert baselines[0] != baselines[1]
    assert story.findings() == []
    assert story.channel("has drifted") == []
    story.is_sound()
