"""Get more from a link than its page, or for longer than its pull request."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta

import httpx
import sqlalchemy as sa

from bot.playground.world import World, until
from bot.storage.tables import runs
from bot.web.keys import Keys
from tests.story.holds import Holds
from tests.story.shared import SharedWorld
from tests.story.story import FILES, Story

SECRET = "clusters: [of-production]"
POLICY = '[stack.infra]\nroot = "infra"\n[env.prod]\nartifacts = ["kubeconfig"]\n'


def test_the_console_link_and_prods_kubeconfig(world: World, holds: Holds) -> None:
    files = FILES | {
        "envs/environments.toml": POLICY.encode(),
        "envs/prod.tfvars": b'env = "prod"\n',
        "infra/outputs.tf": f'output "kubeconfig" {{\n  value = "{SECRET}"\n  sensitive = true\n}}\n'.encode(),
    }
    story = Story(world, "acme/clusters", files, holds=holds)
    number = story.propose()
    story.say(number, "/plan prod")
    story.planned(number, "prod")
    story.say(number, "/apply prod", "carol")
    story.is_told(number, "requests approval")
    story.say(number, "/approve prod", "bob")
    story.sees(number, "Approved by")
    story.reacted(number, story.say(number, "/apply prod", "carol"), "rocket")
    with story.tables() as tables:
        (kept,) = until(lambda: tables.artifacts.of_repository(story.repository), what="the artifact")
    story.say(number, "/artifact prod kubeconfig")
    story.is_told(number, "needs the `maintain` role")
    with httpx.Client(base_url=world.bot.url, trust_env=False) as anybody:
        page = anybody.get(world.console)
        keys = Keys(world.environment()["TOWPATH_SECRET_KEY"])
        path = f"console/artifacts/{kept.id}"
        tries = [
            (action, key) for action, key in re.findall(r'action="([^"]+)".*?value="([^"]+)"', page.text)
        ]
        for action, key in [*tries, (f"/{path}", keys.of(path)), (f"/artifacts/{kept.id}", "")]:
            answer = anybody.post(action, data={"key": key})
            assert SECRET not in answer.text, action
    assert not tries


def test_a_log_link_long_after_the_merge(story: Story, world: World) -> None:
    """The link was forwarded, and its pull request has been merged for a week."""
    number = story.propose()
    story.planned(number)
    keys = Keys(world.environment()["TOWPATH_SECRET_KEY"])
    link = keys.link(world.bot.url, f"runs/{story.ended('plan', 'planned').id}")
    assert httpx.get(link).status_code == 200
    story.github.merge_pull(story.repository, number, actor="ann")
    long_ago = datetime.now(UTC) - timedelta(days=7)
    pull = story.github.state.pull(story.github.state.repo(story.repository), number)
    pull.closed_at = pull.merged_at = long_ago
    assert isinstance(world, SharedWorld)
    with world.database.begin() as tables:
        tables.connection.execute(sa.update(runs).where(runs.c.pull == number).values(finished_at=long_ago))
    story.reacted(number, story.say(number, "/status"), "+1")
    answer = httpx.get(link)
    events = httpx.get(link.replace("?", "/events?"))
    assert (answer.status_code, events.status_code) == (410, 410)
    assert "was merged on" in answer.text
    assert "terraform_data" not in answer.text + events.text
