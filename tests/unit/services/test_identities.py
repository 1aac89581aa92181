"""One person on two platforms, with real rows."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from bot.domain.actors import Actor
from bot.domain.chat import LinkCode, Notice, Result
from bot.domain.ports.chat import ChatError, ChatUser
from bot.domain.ports.store import Identity
from bot.domain.refusal import Refused
from bot.domain.run import Origin
from bot.errors import TransientError
from bot.services.access import (
    ask_to_confirm,
    confirm_link,
    decline_link,
    offer_link,
    refuse_other_workspace,
    resolve_actor,
    unlink,
)
from bot.services.access.identities import ALPHABET, LIFE
from bot.services.context import Context
from bot.storage.tables import codes
from tests.fixtures.refusals import answer_of
from tests.unit.services.conftest import NOW, Clock

SLACK_ANN = Actor(slack="T1/U1", via="slack")
ANN = Actor("ann")
DAVE = Actor("dave")
FIRST, SECOND = Origin("comment-1"), Origin("comment-2")


def offered(context: Context, actor: Actor = SLACK_ANN) -> LinkCode:
    made = answer_of(offer_link, context, actor)
    assert isinstance(made, LinkCode)
    return made


def ask(context: Context, actor: Actor, code: str, origin: Origin = FIRST) -> Result:
    return answer_of(ask_to_confirm, context, actor, origin, code)


def confirm(context: Context, actor: Actor, code: str, origin: Origin = SECOND) -> Result:
    return answer_of(confirm_link, context, actor, origin, code)


def linked(context: Context, actor: Actor = ANN, slack: Actor = SLACK_ANN) -> Result:
    code = offered(context, slack).code
    assert isinstance(ask(context, actor, code), Notice)
    return confirm(context, actor, code)


def known(context: Context, actor: Actor = SLACK_ANN) -> str:
    return resolve_actor(context, actor).login


def telling(context: Context) -> tuple[Context, dict[str, str]]:
    """The context, and what is sent to whom in Slack."""
    told: dict[str, str] = {}

    def tell(_tables: Any, origin: Origin, _repository: str, _pull: int, result: Result) -> None:
        assert isinstance(result, Notice)
        assert origin.channel == origin.user
        told[origin.user] = f"{result.text} {result.next_step}"

    return replace(context, tell=tell), told


def actions(context: Context) -> list[tuple[str, str]]:
    with context.store.read() as tables:
        return [(one.action, one.login) for one in tables.audit.entries()]


# a link


def test_a_code_is_confirmed_after_its_author_was_told_who_it_links(context: Context) -> None:
    made = offered(context)
    assert made.expires_at == NOW + LIFE
    assert made.command == f"/link {made.code}"
    assert len(made.code) == 8
    assert set(made.code) <= set(ALPHABET)
    asked = ask(context, ANN, made.code)
    assert isinstance(asked, Notice)
    assert "`name-U1` (Full U1), user id `U1`, in Slack to @ann" in asked.text
    assert f"`/link {made.code} yes`" in asked.next_step
    assert known(context) == "", "nothing is linked yet"
    told = confirm(context, ANN, made.code)
    assert isinstance(told, Notice)
    assert "@ann" in told.text
    assert "`name-U1`" in told.text
    assert known(context) == "ann"
    assert actions(context) == [("identity.linked", "ann")]


def test_a_confirmation_without_the_question_is_only_asked(context: Context) -> None:
    code = offered(context).code
    for _time in range(2):
        asked = confirm(context, ANN, code, FIRST)
        assert isinstance(asked, Notice)
        assert f"`/link {code} yes`" in asked.next_step
    assert known(context) == "", "both were in one comment, whose author had not read the answer"
    confirm(context, ANN, code, SECOND)
    assert known(context) == "ann"


def test_a_code_belongs_to_who_gave_it_first(context: Context) -> None:
    code = offered(context).code
    ask(context, ANN, code)
    for refusal in (ask(context, DAVE, code), confirm(context, DAVE, code)):
        assert isinstance(refusal, Refused)
        assert "@ann" in refusal.fact
    assert known(context) == ""
    assert isinstance(confirm(context, Actor("ANN"), code), Notice)
    assert known(context) == "ANN"


def test_a_code_can_be_declined(context: Context) -> None:
    code = offered(context).code
    ask(context, ANN, code)
    assert isinstance(answer_of(decline_link, context, DAVE, SECOND, code), Refused)
    assert isinstance(answer_of(decline_link, context, ANN, SECOND, code), Notice)
    assert isinstance(confirm(context, ANN, code), Refused)
    assert known(context) == ""
    assert actions(context) == [("identity.declined", "ann")]


def test_a_code_may_be_typed_in_small_letters(context: Context) -> None:
    code = f" {offered(context).code.lower()} "
    ask(context, ANN, code)
    assert isinstance(confirm(context, ANN, code), Notice)
    assert known(context) == "ann"


def test_a_code_works_once(context: Context) -> None:
    code = offered(context).code
    ask(context, ANN, code)
    assert isinstance(confirm(context, ANN, code), Notice)
    for again in (ask(context, DAVE, code), confirm(context, ANN, code)):
        assert isinstance(again, Refused)
        assert "`/infra link`" in again.next_step
    assert known(context) == "ann"


def test_a_code_dies_after_ten_minutes(context: Context, clock: Clock) -> None:
    early, late = offered(context), offered(context)
    ask(context, ANN, early.code)
    ask(context, DAVE, late.code)
    clock.pass_by(minutes=9, seconds=59)
    assert isinstance(confirm(context, ANN, early.code), Notice)
    clock.pass_by(seconds=1)
    assert isinstance(confirm(context, DAVE, late.code), Refused)
    assert known(context) == "ann"


@pytest.mark.parametrize("guess", ["22222222", ""])
def test_a_guess_links_nobody(context: Context, guess: str) -> None:
    offered(context)
    assert isinstance(ask(context, DAVE, guess), Refused)
    assert isinstance(confirm(context, DAVE, guess), Refused)
    assert known(context) == ""


def test_only_a_digest_is_kept(context: Context) -> None:
    code = offered(context).code
    with context.store.read() as tables:
        (row,) = tables.connection.execute(codes.select()).mappings()
    assert code not in str(dict(row))
    assert row["who"] == "T1/U1"


def test_github_shows_no_codes(context: Context) -> None:
    refusal = answer_of(offer_link, context, ANN)
    assert isinstance(refusal, Refused)
    assert "`/infra link` in Slack" in refusal.next_step


def test_slack_confirms_no_codes(context: Context) -> None:
    code = offered(context).code
    refusal = ask(context, Actor(slack="T1/U2", via="slack"), code)
    assert isinstance(refusal, Refused)
    assert f"`/link {code}`" in refusal.next_step
    assert isinstance(ask(context, ANN, code), Notice), "it was not bound"


def test_who_is_linked_needs_no_code(context: Context) -> None:
    told = answer_of(offer_link, context, Actor("ann", slack="T1/U1", via="slack"))
    assert isinstance(told, Notice)
    assert "@ann" in told.text


def test_a_new_link_replaces_the_old_one(context: Context) -> None:
    linked(context, DAVE)
    code = offered(context).code
    asked = ask(context, ANN, code)
    assert isinstance(asked, Notice)
    assert "Their link to @dave ends." in asked.text
    confirm(context, ANN, code)
    assert known(context) == "ann"


def test_whoever_is_linked_already_is_told(context: Context) -> None:
    """Somebody got ann to confirm a second Slack account, or uses her GitHub account."""
    context, told = telling(context)
    linked(context)
    assert list(told) == ["U1"]
    told.clear()
    code = offered(context, Actor(slack="T1/U2", via="slack")).code
    asked = ask(context, Actor("Ann"), code)
    assert isinstance(asked, Notice)
    assert "`name-U1` already" in asked.text
    assert told == {}
    done = confirm(context, Actor("Ann"), code)
    assert isinstance(done, Notice)
    assert "`name-U1` was told" in done.text
    assert set(told) == {"U1", "U2"}
    assert "user id `U2`, is now linked to @Ann" in told["U1"]
    assert "`/infra unlink`" in told["U1"]


def test_whom_the_operator_linked_is_told_as_well(context: Context) -> None:
    context, told = telling(context)
    linked(context, Actor("carol"))
    assert set(told) == {"U1", "U09"}


# its end


def test_unlinking_in_slack_ends_ones_own_link(context: Context) -> None:
    context, told = telling(context)
    linked(context)
    linked(context, ANN, Actor(slack="T1/U2", via="slack"))
    told.clear()
    done = answer_of(unlink, context, resolve_actor(context, SLACK_ANN), SECOND)
    assert isinstance(done, Notice)
    assert "`name-U1` is no longer linked to @ann" in done.text
    assert (known(context), known(context, Actor(slack="T1/U2", via="slack"))) == ("", "ann")
    assert told == {}
    assert actions(context)[-1] == ("identity.unlinked", "ann")
    again = answer_of(unlink, context, resolve_actor(context, SLACK_ANN), SECOND)
    assert isinstance(again, Refused)


def test_unlinking_on_github_ends_all_and_tells_them(context: Context) -> None:
    context, told = telling(context)
    linked(context)
    linked(context, ANN, Actor(slack="T1/U2", via="slack"))
    told.clear()
    code = offered(context).code
    ask(context, ANN, code)
    assert isinstance(answer_of(unlink, context, Actor("ANN"), SECOND), Notice)
    assert known(context) == known(context, Actor(slack="T1/U2", via="slack")) == ""
    assert set(told) == {"U1", "U2"}
    assert isinstance(confirm(context, ANN, code), Refused), "open codes of theirs end too"
    nothing = answer_of(unlink, context, ANN, SECOND)
    assert isinstance(nothing, Notice)
    assert "No Slack account" in nothing.text


def test_the_operators_link_is_the_operators_to_end(context: Context) -> None:
    refusal = answer_of(unlink, context, resolve_actor(context, Actor(slack="T1/U09", via="slack")), SECOND)
    assert isinstance(refusal, Refused)
    assert "TOWPATH_SLACK_LOGINS" in refusal.next_step


# who counts


def test_the_operators_map_comes_first(context: Context) -> None:
    carol = Actor(slack="T1/U09", via="slack")
    with context.store.begin() as tables:
        tables.identities.link(Identity("T1/U09", "dave", NOW, "code"))
    assert known(context, carol) == "carol"


def test_a_login_is_never_replaced(context: Context) -> None:
    assert resolve_actor(context, ANN) == ANN
    assert resolve_actor(context, Actor(via="system")) == Actor(via="system")


@pytest.mark.parametrize(
    ("slack", "login"),
    [
        ("T1/U09", "carol"),
        ("T2/U09", ""),
        ("/U09", ""),
        ("T3/U08", ""),  # in the map, and of another workspace
        ("T1/U08", ""),
        ("T2/U3", ""),  # linked, and of another workspace
        ("T1/U3", ""),  # the same, as an event may claim
        ("T1/U4", "dave"),
        ("T4/U4", "dave"),  # another workspace of the same organization
        ("T2/U4", ""),
        ("T1/U5", ""),  # deactivated
        ("T1/W9", ""),  # unknown to Slack
    ],
)
def test_only_members_of_the_bots_workspace_count(context: Context, slack: str, login: str) -> None:
    with context.store.begin() as tables:
        for user in ("T2/U3", "T1/U3", "T1/U4", "T1/U5", "T1/W9", "T3/U08"):
            tables.identities.link(Identity(user, "dave", NOW, "code"))
    actor = Actor(slack=slack, via="slack")
    assert known(context, actor) == login
    refusal = refuse_other_workspace(context, actor)
    assert (refusal is None) == bool(login)
    if refusal:
        assert refusal.code == "other-workspace"
        assert isinstance(answer_of(offer_link, context, actor), Refused)


def test_a_code_of_somebody_who_left_links_nobody(context: Context) -> None:
    code = offered(context).code
    ask(context, ANN, code)

    def left(user: str) -> ChatUser:
        return ChatUser(user, frozenset({"T1"}), "ann", active=False)

    context.caches.slack_users.forget("U1")
    assert isinstance(confirm(replace(context, slack_user=left), ANN, code), Refused)
    assert known(context) == ""


@pytest.mark.parametrize("part", ["team", "slack_user"])
def test_what_slack_does_not_tell(context: Context, part: str) -> None:
    """Nobody is taken for somebody meanwhile: it is waited for, or where the token is no good nobody counts."""

    def away(*_user: str) -> Any:
        raise ChatError("down", retry_after=3.0)

    def refused(*_user: str) -> Any:
        raise ChatError("invalid_auth", code="invalid_auth")

    changed: dict[str, Any] = {part: away}
    carol = Actor(slack="T1/U09", via="slack")
    with pytest.raises(TransientError) as caught:
        resolve_actor(replace(context, **changed), carol)
    assert caught.value.retry_after == 3.0
    changed[part] = refused
    assert resolve_actor(replace(context, **changed), carol).login == ""


def test_a_workspace_that_is_not_known(context: Context) -> None:
    assert resolve_actor(replace(context, team=lambda: ""), Actor(slack="T1/U09", via="slack")).login == ""
