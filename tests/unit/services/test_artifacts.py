"""Artifacts: who gets them, once, and never without a record."""

from __future__ import annotations

import re
import threading
from typing import Any

import pytest
from starlette.applications import Starlette

from bot.domain.actors import Actor, Role
from bot.domain.audit import Entry
from bot.domain.chat import Notice, Result
from bot.domain.policy.model import Environment, Policy, Stack
from bot.domain.refusal import Refused
from bot.domain.run import Origin
from bot.domain.states.outputs import Output
from bot.render.command_style import CommandStyle
from bot.render.reply import in_slack
from bot.services.context import Context
from bot.services.releases.artifacts import LIFE, keep_artifacts, offer_artifact, redeem_ticket
from bot.storage.audit import AuditRows
from bot.storage.database import Database
from bot.storage.tables import artifacts as artifact_rows
from bot.storage.tables import tickets
from bot.surfaces.reply import PRIVATE
from bot.web import artifacts, console
from bot.web.keys import Keys
from commands.artifact import artifact
from commands.registry import CommandContext
from tests.fixtures.refusals import answer_of
from tests.integration.storage import samples
from tests.unit.services.asgi import Client
from tests.unit.services.conftest import Clock

KEYS = Keys("a-secret")
CONTENT = "clusters: [s3cr3t]"
ANN = Actor("ann", slack="T1/U1", via="slack")
IN_SLACK = Origin("d1", channel="C1", user="U1")
POLICY = Policy(
    {"infra": Stack("infra", "infra")},
    {
        name: Environment(name, production=name == "prod", artifacts=("kubeconfig",))
        for name in ("staging", "prod")
    },
)


@pytest.fixture
def client(database: Database, clock: Clock) -> Client:
    return Client(
        Starlette(routes=[*artifacts.routes(database, clock), *console.routes(database, KEYS, clock)])
    )


@pytest.fixture
def kept(context: Context) -> str:
    """The id of prod's kubeconfig."""
    keep(context)
    with context.store.read() as tables:
        (one,) = tables.artifacts.of_target(samples.PROD)
    return one.id


def keep(context: Context, content: str = CONTENT, release: str = "rel1") -> None:
    missing = keep_artifacts(
        context,
        samples.run(),
        samples.release(release),
        POLICY.environments["prod"],
        {"kubeconfig": Output(content, sensitive=True)},
    )
    assert missing == []


def ask(
    context: Context, words: tuple[str | None, ...], monkeypatch: pytest.MonkeyPatch, **more: Any
) -> Result:
    facts: dict[str, Any] = {"actor": ANN, "role": "maintain", "origin": IN_SLACK, **more}
    monkeypatch.setattr(CommandContext, "policy", lambda _ask: POLICY)
    env, name, stack = words
    assert env is not None
    return answer_of(
        artifact,
        CommandContext(context, facts["actor"], facts["role"], facts["origin"], "acme/infra", None),
        env,
        name,
        stack,
    )


def token(told: Result) -> str:
    assert isinstance(told, Notice)
    found = re.search(r"https://towpath\.example\.com/artifacts/([\w-]+)\)", told.text)
    assert found is not None
    return found[1]


@pytest.fixture
def link(context: Context, kept: str) -> str:
    return token(offer_artifact(context, ANN, samples.PROD, "kubeconfig"))


def entries(context: Context) -> list[Entry]:
    with context.store.read() as tables:
        return list(tables.audit.entries())


# the command


def test_names_are_listed_with_their_age(
    context: Context, kept: str, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    clock.pass_by(hours=3)
    told = ask(context, ("prod", None, None), monkeypatch, actor=Actor("bob"), role="write", origin=Origin())
    assert isinstance(told, Notice)
    assert "`kubeconfig`, 3 h old" in told.text
    assert CONTENT not in told.text
    none = ask(context, ("staging", "infra", None), monkeypatch)
    assert isinstance(none, Notice)
    assert "staging has no artifacts" in none.text


def test_in_slack_it_is_a_link_for_its_asker_alone(
    context: Context, kept: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    told = ask(context, ("prod", "kubeconfig", None), monkeypatch)
    assert len(token(told)) >= 43, "32 bytes"
    assert isinstance(told, PRIVATE)
    text, blocks = in_slack(told, CommandStyle("/infra", 0, "acme/infra"))
    assert token(told) in str(blocks)
    assert CONTENT not in text + str(blocks)


@pytest.mark.parametrize("role", ["write", "maintain", "admin"])
def test_production_is_for_maintainers(
    context: Context, kept: str, monkeypatch: pytest.MonkeyPatch, role: Role
) -> None:
    told = ask(context, ("prod", "kubeconfig", None), monkeypatch, role=role)
    assert isinstance(told, Refused) == (role == "write")


def test_on_github_everybody_would_read_it(
    context: Context, kept: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    told = ask(
        context, ("prod", "kubeconfig", None), monkeypatch, actor=Actor("ann"), origin=Origin(comment=1)
    )
    assert isinstance(told, Refused)
    assert "`/infra artifact prod kubeconfig` in Slack" in told.next_step
    with context.store.read() as tables:
        assert tables.connection.execute(tickets.select()).first() is None


def test_without_somebody_to_show_it_to_there_is_no_link(
    context: Context, kept: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    told = ask(context, ("prod", "kubeconfig", None), monkeypatch, origin=Origin("d1", channel="C1"))
    assert isinstance(told, Refused)


def test_what_is_not_there(context: Context, kept: str, monkeypatch: pytest.MonkeyPatch) -> None:
    told = ask(context, ("prod", "kubeconfg", None), monkeypatch)
    assert isinstance(told, Refused)
    assert told.next_step == "Did you mean `/artifact prod kubeconfig`?"
    elsewhere = ask(context, ("production", "kubeconfig", None), monkeypatch)
    assert isinstance(elsewhere, Refused)


# the link


def test_a_preview_that_opens_the_link_uses_nothing_up(client: Client, context: Context, link: str) -> None:
    for _look in range(2):
        page = client.get(f"/artifacts/{link}")
        assert page.status_code == 200
        assert '<form method="post">' in page.text
        assert "form-action 'self'" in page.headers["content-security-policy"]
        assert page.headers["referrer-policy"] == "no-referrer"
        assert CONTENT not in page.text
    assert entries(context) == []
    assert client.post(f"/artifacts/{link}").text == CONTENT


def test_the_file_comes_as_a_file(client: Client, link: str) -> None:
    answer = client.post(f"/artifacts/{link}")
    assert (answer.status_code, answer.text) == (200, CONTENT)
    assert answer.headers["content-disposition"] == 'attachment; filename="kubeconfig"'
    assert answer.headers["cache-control"] == "no-store"
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert answer.headers["content-type"] == "application/octet-stream"


def test_a_link_works_once(client: Client, context: Context, link: str) -> None:
    assert client.post(f"/artifacts/{link}").status_code == 200
    again = client.post(f"/artifacts/{link}")
    assert again.status_code == 404
    assert CONTENT not in again.text
    assert len(entries(context)) == 1


def test_of_two_at_once_one_gets_it(database: Database, clock: Clock, link: str) -> None:
    found: list[object] = []
    threads = [
        threading.Thread(target=lambda: found.append(redeem_ticket(database, link, clock())))
        for _ in range(4)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sum(one is not None for one in found) == 1
    assert len(found) == 4


def test_a_link_dies_after_ten_minutes(client: Client, clock: Clock, link: str) -> None:
    clock.at += LIFE
    assert client.post(f"/artifacts/{link}").status_code == 404


@pytest.mark.parametrize("guess", ["x", "a" * 43, "%00", "é"])
def test_a_guess_gives_nothing(client: Client, context: Context, link: str, guess: str) -> None:
    assert client.post(f"/artifacts/{guess}").status_code == 404
    assert entries(context) == []


def test_a_link_of_a_replaced_artifact_gives_nothing(client: Client, context: Context, link: str) -> None:
    keep(context, "a newer one", "rel2")
    assert client.post(f"/artifacts/{link}").status_code == 404


def test_each_fetch_is_recorded(client: Client, context: Context, clock: Clock, link: str) -> None:
    clock.pass_by(minutes=2)
    client.post(f"/artifacts/{link}")
    (entry,) = entries(context)
    assert (entry.at, entry.action, entry.login, entry.via) == (clock.at, "artifact.fetched", "ann", "link")
    assert (entry.repository, entry.target) == ("acme/infra", samples.PROD.key)
    with context.store.read() as tables:
        (one,) = tables.artifacts.of_target(samples.PROD)
    assert entry.facts == {"name": "kubeconfig", "release": "rel1", "digest": one.digest}


def test_what_cannot_be_recorded_is_not_given_out(
    client: Client, context: Context, link: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fails(_rows: AuditRows, _entry: Entry) -> Entry:
        raise RuntimeError("disk full")

    with monkeypatch.context() as patch:
        patch.setattr(AuditRows, "add", fails)
        answer = client.post(f"/artifacts/{link}")
        assert answer.status_code == 503
        assert CONTENT not in answer.text
    assert client.post(f"/artifacts/{link}").text == CONTENT, "the link was not used up"


def test_at_rest_there_is_neither_token_nor_content(context: Context, link: str) -> None:
    with context.store.read() as tables:
        (ticket,) = tables.connection.execute(tickets.select()).mappings()
        (row,) = tables.connection.execute(artifact_rows.select()).mappings()
    assert link not in str(dict(ticket))
    assert "s3cr3t" not in str(dict(row))


# the console


def test_the_console_lists_them_and_gives_none(
    client: Client, context: Context, kept: str, database: Database
) -> None:
    with database.begin() as tables:
        tables.pulls.save_repository(samples.repository())
    page = client.get("/", params={"key": KEYS.of("")})
    assert "kubeconfig" in page.text
    assert "form" not in page.text
    assert "form-action 'none'" in page.headers["content-security-policy"]
    path = f"console/artifacts/{kept}"
    for key in (KEYS.of(path), KEYS.of("")):
        answer = client.post(f"/{path}", data={"key": key})
        assert answer.status_code == 404
        assert CONTENT not in answer.text
    assert entries(context) == []


def test_a_strange_name_breaks_no_header(client: Client, context: Context) -> None:
    name = 'a"\r\nx: y'
    keep_artifacts(
        context,
        samples.run(),
        samples.release("rel1"),
        Environment("prod", artifacts=(name,)),
        {name: Output("x")},
    )
    link = token(offer_artifact(context, ANN, samples.PROD, name))
    assert (
        client.post(f"/artifacts/{link}").headers["content-disposition"] == 'attachment; filename="a___x__y"'
    )
