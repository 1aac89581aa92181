"""Act as somebody else in Slack: by their confirmation of a code, or from another workspace."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import UTC, datetime

import pytest

from bot.domain.ports.store import Identity
from bot.playground.slack.model import User
from bot.playground.slack.state import State
from bot.playground.world import World, until
from tests.story.shared import SharedWorld
from tests.story.story import Story
from tests.story.test_slack import whispered

CHANNEL = "#infra"


@pytest.fixture
def eve(world: World) -> Iterator[str]:
    """Somebody of another workspace, in a channel that is shared with it."""
    state: State = world.slack.state
    with state.lock:
        state.users["U0EVE"] = User("U0EVE", "eve", "Ann", team="T0OTHER")
        state.channel("infra").members.add("U0EVE")
    yield "eve"
    assert isinstance(world, SharedWorld)
    with world.database.begin() as tables:
        tables.identities.unlink("T0ACME/U0EVE")
        tables.identities.unlink("T0ACME/U0DAVE")
    with state.lock:
        del state.users["U0EVE"]
        state.channel("infra").members.discard("U0EVE")


def code_for(story: Story, user: str) -> str:
    story.world.slack.slash(user, CHANNEL, "link")
    whispered(story, user, "/link ")
    shown = str([one.blocks for one in story.world.slack.ephemerals(user)])
    return str(re.findall(r"/link ([0-9A-Z]{8})", shown)[-1])


def login_of(story: Story, slack: str) -> str:
    with story.tables() as tables:
        return tables.identities.login(slack)


@pytest.mark.usefixtures("eve")
def test_a_code_that_somebody_else_gave_ann(story: Story) -> None:
    """dave asks ann to comment what he was shown: she learns whose account it is, before anything is linked."""
    number = story.propose()
    story.planned(number)
    code = code_for(story, "dave")
    story.reacted(number, story.say(number, f"/link {code}"), "+1")
    assert login_of(story, "T0ACME/U0DAVE") == ""
    story.is_told(number, "`dave` (Dave), user id `U0DAVE`")
    story.say(number, f"/link {code}", author="bob")
    story.is_told(number, "given by")
    assert login_of(story, "T0ACME/U0DAVE") == ""
    story.say(number, f"/link {code} yes")
    story.is_told(number, "is now linked")
    assert login_of(story, "T0ACME/U0DAVE") == "ann"
    news = until(lambda: story.world.slack.messages("D0ANN"), what="a message to ann's own account")
    assert "U0DAVE" in news[-1].text + str(news[-1].blocks)
    story.say(number, "/unlink")
    story.is_told(number, "no longer linked")
    assert login_of(story, "T0ACME/U0DAVE") == ""
    assert {"identity.linked", "identity.unlinked"} <= actions(story)


@pytest.mark.usefixtures("eve")
def test_question_and_confirmation_in_one_comment(story: Story) -> None:
    number = story.propose()
    story.planned(number)
    code = code_for(story, "dave")
    story.reacted(number, story.say(number, f"/link {code}\n/link {code} yes"), "+1")
    assert login_of(story, "T0ACME/U0DAVE") == ""


def test_somebody_of_another_workspace(story: Story, world: World, eve: str) -> None:
    """Slack's events name the workspace of the channel; what they claim of eve's does not count."""
    number = story.propose()
    story.planned(number)
    assert isinstance(world, SharedWorld)
    with world.database.begin() as tables:
        tables.identities.link(Identity("T0ACME/U0EVE", "ann", datetime.now(UTC), "code"))
    world.slack.slash(eve, CHANNEL, f"lock staging {story.repository}#{number}")
    until(lambda: world.slack.ephemerals(eve) or locked(story), what="a refusal, or a lock")
    assert not locked(story)
    whispered(story, eve, "belongs to another one")
    world.slack.slash(eve, CHANNEL, "link")
    until(lambda: len(world.slack.ephemerals(eve)) > 1, what="another refusal")
    assert "/link" not in world.slack.ephemerals(eve)[-1].text
    world.slack.mention(eve, CHANNEL, f"status {story.repository}")
    until(lambda: len(world.slack.ephemerals(eve)) > 2, what="a third refusal")
    assert "staging" not in str(world.slack.ephemerals(eve)[-1].blocks)


def locked(story: Story) -> bool:
    with story.tables() as tables:
        return bool(tables.locks.all(story.repository))


def actions(story: Story) -> set[str]:
    with story.tables() as tables:
        return {one.action for one in tables.audit.entries()}
