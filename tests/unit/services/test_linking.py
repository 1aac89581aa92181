"""One person on two platforms, with real rows."""

from __future__ import annotations

from dataclasses import replace

import pytest

from bot.domain.answers import Refused
from bot.domain.people import Actor
from bot.domain.ports.chat import ChatError
from bot.domain.ports.store import Identity
from bot.domain.results import LinkCode, Noted
from bot.errors import TransientError
from bot.services.context import Context
from bot.services.linking import ALPHABET, LIFE, confirm, offer, resolve
from bot.storage.tables import codes
from tests.unit.services.conftest import NOW, Clock

SLACK_ANN = Actor(slack="T1/U1", via="slack")
ANN = Actor("ann")
DAVE = Actor("dave")


def offered(context: Context) -> LinkCode:
    made = offer(context, SLACK_ANN)
    assert isinstance(made, LinkCode)
    return made


def known(context: Context, actor: Actor = SLACK_ANN) -> str:
    return resolve(context, actor).login


def test_a_code_from_slack_confirmed_on_github(context: Context) -> None:
    made = offered(context)
    assert made.expires_at == NOW + LIFE
    assert made.command == f"/link {made.code}"
    assert len(made.code) == 8
    assert set(made.code) <= set(ALPHABET)
    assert known(context) == ""
    told = confirm(context, ANN, made.code)
    assert isinstance(told, Noted)
    assert "@ann" in told.text
    assert known(context) == "ann"


def test_a_code_may_be_typed_in_small_letters(context: Context) -> None:
    assert isinstance(confirm(context, ANN, f" {offered(context).code.lower()} "), Noted)
    assert known(context) == "ann"


def test_a_code_works_once(context: Context) -> None:
    code = offered(context).code
    assert isinstance(confirm(context, ANN, code), Noted)
    again = confirm(context, DAVE, code)
    assert isinstance(again, Refused)
    assert "`/infra link`" in again.next_step
    assert known(context) == "ann"


def test_a_code_dies_after_ten_minutes(context: Context, clock: Clock) -> None:
    early, late = offered(context), offered(context)
    clock.pass_by(minutes=9, seconds=59)
    assert isinstance(confirm(context, ANN, early.code), Noted)
    clock.pass_by(seconds=1)
    assert isinstance(confirm(context, DAVE, late.code), Refused)
    assert known(context) == "ann"


def test_a_guess_links_nobody(context: Context) -> None:
    offered(context)
    assert isinstance(confirm(context, DAVE, "22222222"), Refused)
    assert isinstance(confirm(context, DAVE, ""), Refused)
    assert known(context) == ""


def test_only_a_digest_is_kept(context: Context) -> None:
    code = offered(context).code
    with context.store.read() as tables:
        (row,) = tables.connection.execute(codes.select()).mappings()
    assert code not in str(dict(row))
    assert row["who"] == "T1/U1"


def test_github_shows_no_codes(context: Context) -> None:
    no = offer(context, ANN)
    assert isinstance(no, Refused)
    assert "`/infra link` in Slack" in no.next_step


def test_slack_confirms_no_codes(context: Context) -> None:
    code = offered(context).code
    no = confirm(context, Actor(slack="T1/U2", via="slack"), code)
    assert isinstance(no, Refused)
    assert f"`/link {code}`" in no.next_step
    assert isinstance(confirm(context, ANN, code), Noted), "it was not used up"


def test_who_is_linked_needs_no_code(context: Context) -> None:
    told = offer(context, Actor("ann", slack="T1/U1", via="slack"))
    assert isinstance(told, Noted)
    assert "@ann" in told.text


def test_a_new_link_replaces_the_old_one(context: Context) -> None:
    for login in ("dave", "ann"):
        confirm(context, Actor(login), offered(context).code)
    assert known(context) == "ann"


def test_the_operators_map_comes_first(context: Context) -> None:
    carol = Actor(slack="T1/U09", via="slack")
    with context.store.begin() as tables:
        tables.identities.link(Identity("T1/U09", "dave", NOW, "code"))
    assert known(context, carol) == "carol"


def test_another_workspaces_user_of_that_id_is_another_person(context: Context) -> None:
    confirm(context, ANN, offered(context).code)
    assert known(context, Actor(slack="T2/U1", via="slack")) == ""


def test_a_login_is_never_replaced(context: Context) -> None:
    assert resolve(context, ANN) == ANN
    assert resolve(context, Actor(via="system")) == Actor(via="system")


@pytest.mark.parametrize(
    ("slack", "login"),
    [("T1/U09", "carol"), ("T2/U09", ""), ("/U09", ""), ("T3/U08", "bob"), ("T1/U08", ""), ("T2/U08", "")],
)
def test_the_operators_map_is_of_a_workspace(context: Context, slack: str, login: str) -> None:
    """A bare user id is of the bot's own; Slack: a shared channel has users of others."""
    assert known(context, Actor(slack=slack, via="slack")) == login


def test_a_workspace_that_slack_does_not_tell(context: Context) -> None:
    """Nobody is taken for somebody meanwhile: it is waited for, or where the token is no good nobody is mapped."""

    def away() -> str:
        raise ChatError("down", retry_after=3.0)

    def refused() -> str:
        raise ChatError("invalid_auth", code="invalid_auth")

    carol = Actor(slack="T1/U09", via="slack")
    with pytest.raises(TransientError) as caught:
        resolve(replace(context, team=away), carol)
    assert caught.value.retry_after == 3.0
    assert resolve(replace(context, team=away), SLACK_ANN).login == "", "not in the map: nobody is asked"
    assert resolve(replace(context, team=refused), carol).login == ""
    assert resolve(replace(context, team=lambda: ""), carol).login == ""
