"""Exports: asked for in Slack, approved with a click, swapped, and brought back; by a schedule; refused."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import psycopg
import pytest

from bot.domain.exports import Export
from bot.exports import mark
from bot.playground.slack.model import Message
from bot.playground.world import until
from tests.fixtures.world import MakeWorld
from tests.postgres import Postgres
from tests.story.holds import Holds
from tests.story.story import FILES, Story
from tests.story.test_slack import CHANNEL, whispered

pytestmark = [pytest.mark.postgres, pytest.mark.own_world]

POLICY = """[stack.infra]
root = "infra"
[env.staging]
[env.prod]
promote_from = "staging"
approvals = { count = 1, users = ["bob"] }
"""
EXPORT = """[export.staging]
from = "prod"
SCHEDULE
[[export.staging.roots]]
table = "public.people"
where = "id <= 50"
[export.staging.tables."public.people".columns]
id = "keep"
email = { mask = "email" }
[export.staging.tables."public.visits".columns]
id = "keep"
person = "keep"
"""
PROD = """
CREATE TABLE people (id integer PRIMARY KEY, email text NOT NULL UNIQUE);
CREATE TABLE visits (id integer PRIMARY KEY, person integer NOT NULL REFERENCES people);
INSERT INTO people SELECT i, 'person' || i || '@acme.com' FROM generate_series(1, 500) i;
INSERT INTO visits SELECT i, 1 + i % 500 FROM generate_series(1, 1000) i;
"""


@dataclass(frozen=True)
class Databases:
    prod: str
    staging: str

    def rows(self, query: str) -> list[tuple[object, ...]]:
        with psycopg.connect(self.staging) as connection:
            return connection.execute(query).fetchall()


@pytest.fixture
def databases(postgres: Postgres) -> Iterator[Databases]:
    made = Databases(postgres.create(), postgres.create())
    with psycopg.connect(made.prod, autocommit=True) as connection:
        connection.execute(PROD)
    with psycopg.connect(made.staging, autocommit=True) as connection:
        connection.execute("CREATE TABLE people (id integer); INSERT INTO people VALUES (0)")
    yield made
    for name in (made.prod, made.staging, f"{made.staging}_next", f"{made.staging}_prev"):
        postgres.drop(name)


class Exporting(Story):
    """A repository whose staging gets a part of prod's data."""

    def __init__(self, make_world: MakeWorld, holds: Holds, databases: Databases, **more: str) -> None:
        settings = {
            "PROD_EXPORT_DATABASE_URL": databases.prod,
            "STAGING_EXPORT_DATABASE_URL": databases.staging,
            "STAGING_EXPORT_MASKING_KEY": "m" * 40,
        }
        world = make_world(settings=settings, **more)
        files = {
            **FILES,
            "envs/environments.toml": POLICY.encode(),
            "envs/export.toml": EXPORT.replace("SCHEDULE", "").encode(),
        }
        super().__init__(world, "acme/data", files, holds=holds)
        mark(databases.staging, self.repository, "staging")
        self.propose({"infra/main.tf": FILES["infra/main.tf"] + b"\n# another\n"})

    def slash(self, user: str, action: str) -> None:
        self.world.slack.slash(user, CHANNEL, f"export staging {action} {self.repository}")

    def exports(self) -> list[Export]:
        with self.tables() as tables:
            return tables.exports.of_environment(self.repository, "staging", 20)

    def message(self, text: str) -> Message:
        found = until(
            lambda: next((one for one in self.world.slack.messages(CHANNEL) if text in one.text), None),
            what=f"{text!r} in {[one.text for one in self.world.slack.messages(CHANNEL)]}",
        )
        assert found is not None
        return found


def test_from_a_preview_to_masked_data_and_back(
    make_world: MakeWorld, holds: Holds, databases: Databases, both_url: str
) -> None:
    story = Exporting(make_world, holds, databases, database_url=both_url)
    story.world.slack.slash("ann", CHANNEL, f"export stagin history {story.repository}")
    whispered(story, "ann", "Exports that exist: `/infra export staging`.")
    story.slash("ann", "preview")
    shown = story.message("Preview of the export prod → staging is done")
    assert "50 of 500" in str(shown.blocks)
    story.slash("ann", "now")
    asked = story.message("Export prod → staging needs approval")
    slack = story.world.slack
    slack.click("ann", CHANNEL, asked.ts, "towpath:export:staging:approve")
    whispered(story, "ann", "somebody else must approve it")
    assert databases.rows("SELECT count(*) FROM people") == [(1,)]
    slack.click("bob", CHANNEL, asked.ts, "towpath:export:staging:approve")
    story.message("Export prod → staging is done")
    assert databases.rows("SELECT count(*) FROM people") == [(50,)]
    assert databases.rows("SELECT count(*) FROM people WHERE email LIKE '%acme%'") == [(0,)]
    assert databases.rows("SELECT count(*) FROM visits JOIN people ON people.id = person") == [(100,)]
    story.slash("ann", "now")
    until(lambda: [one.outcome for one in story.exports()] == ["done"] * 3, what="a second export")
    assert story.exports()[0].approved_by == (), "the same policy needs no second approval"
    story.slash("bob", "rollback")
    until(lambda: [one.outcome for one in story.exports()] == ["done"] * 4, what="the rollback")
    assert story.exports()[0].kind == "rollback"
    with story.tables() as tables:
        actions = [one.action for one in tables.audit.entries() if one.action.startswith("export")]
    assert actions.count("export.approve") == 1
    assert actions.count("export.done") == 4
