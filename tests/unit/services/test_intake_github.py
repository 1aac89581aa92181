"""GitHub's intake: what it keeps, what it refuses, and that nothing sent to it does any harm."""

from __future__ import annotations

import json
from typing import Any
from urllib.parse import urlencode

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from bot.domain.actors import Actor
from bot.domain.chat.comment_parser import find_commands
from bot.domain.chat.events import (
    AppInstalled,
    CheckRerequested,
    Message,
    PullChanged,
    Pushed,
    RepositorySeen,
    Request,
    Reviewed,
)
from bot.domain.ports.inbox import Delivery
from bot.github.webhook import sign
from bot.intake import github
from bot.intake.github import MAX_PAYLOAD, GitHubIntake
from bot.storage.inbox import DeliveryRows
from tests.unit.services.conftest import NOW, Bell
from tests.unit.services.webhooks import PAYLOADS, REPOSITORY, comment, headers, send


def meant(inbox: DeliveryRows, me: str = "towpath[bot]") -> list[Request]:
    (delivery,) = inbox.pending(10)
    return github.parse_requests(delivery, lambda: me)


# what is let in


@pytest.mark.parametrize("event", list(PAYLOADS))
def test_what_concerns_us_is_kept_before_it_is_answered(
    intake: GitHubIntake, inbox: DeliveryRows, bell: Bell, event: str
) -> None:
    assert send(intake, PAYLOADS[event], event) == (202, "stored")
    (kept,) = inbox.pending(10)
    unique = "comment-55" if event == "issue_comment" else "d-1"
    assert (kept.id, kept.platform, kept.event) == (unique, "github", event)
    assert kept.headers["delivery"] == "d-1"
    assert json.loads(kept.body) == PAYLOADS[event]
    assert bell.rings == 1


def test_a_delivery_that_comes_twice_is_kept_once(
    intake: GitHubIntake, inbox: DeliveryRows, bell: Bell
) -> None:
    assert send(intake, comment()) == (202, "stored")
    assert send(intake, comment()) == (202, "duplicate")
    assert len(inbox.pending(10)) == 1
    assert bell.rings == 1


def test_a_comment_is_kept_once_whatever_its_delivery_is_called(
    intake: GitHubIntake, inbox: DeliveryRows, bell: Bell
) -> None:
    assert send(intake, comment(), x_github_delivery="d-1") == (202, "stored")
    assert send(intake, comment(), x_github_delivery="d-2") == (202, "duplicate")
    other = comment(comment=comment()["comment"] | {"id": 56})
    assert send(intake, other, x_github_delivery="d-3") == (202, "stored")
    assert [one.id for one in inbox.pending(10)] == ["comment-55", "comment-56"]
    assert bell.rings == 2


def test_a_form_is_as_good(intake: GitHubIntake, inbox: DeliveryRows) -> None:
    body = urlencode({"payload": json.dumps(comment())}).encode()
    assert send(intake, body, content_type="application/x-www-form-urlencoded") == (202, "stored")
    assert any(isinstance(one, Message) for one in meant(inbox))


def test_the_pull_request_keeps_its_deliveries_in_order(intake: GitHubIntake, inbox: DeliveryRows) -> None:
    for number, event in enumerate(PAYLOADS):
        send(intake, PAYLOADS[event], event, x_github_delivery=f"d-{number}")
    found = {one.event: one.conversation for one in inbox.pending(10)}
    assert found == {
        "issue_comment": "acme/infra#7",
        "pull_request": "acme/infra#7",
        "push": "acme/infra",
        "check_run": "acme/infra",
        "pull_request_review": "acme/infra#7",
        "installation": "installation",
    }


def test_a_ping_is_answered(intake: GitHubIntake, inbox: DeliveryRows) -> None:
    assert send(intake, {"zen": "…"}, "ping") == (200, "pong")
    assert inbox.pending(10) == []


@pytest.mark.parametrize(
    ("event", "payload"),
    [
        ("star", {"action": "created"}),
        ("issue_comment", comment(action="edited")),
        ("issue_comment", comment(action="deleted")),
        ("issue_comment", comment(issue={"number": 7})),
        (
            "issue_comment",
            comment(comment=comment()["comment"] | {"user": {"login": "x[bot]", "type": "Bot"}}),
        ),
        ("pull_request", PAYLOADS["pull_request"] | {"action": "unlabeled"}),
        ("check_run", PAYLOADS["check_run"] | {"action": "created"}),
    ],
    ids=["a star", "an edit", "a deletion", "on an issue", "a bot", "a label taken away", "our own check"],
)
def test_what_is_of_no_interest_is_not_kept(
    intake: GitHubIntake, inbox: DeliveryRows, event: str, payload: dict[str, Any]
) -> None:
    assert send(intake, payload, event) == (202, "ignored")
    assert inbox.pending(10) == []


def said(text: str) -> dict[str, Any]:
    return comment(comment=comment()["comment"] | {"body": text})


@pytest.mark.parametrize(
    ("event", "payload"),
    [
        ("issue_comment", said("A plain word, and/or another:\nsee /plan\n\n> /plan")),
        ("issue_comment", said("word " * 12_000)),
        ("issue_comment", said((" " * 1_000 + "\n") * 60)),
        ("push", PAYLOADS["push"] | {"after": "0" * 40}),
        ("push", PAYLOADS["push"] | {"ref": "refs/tags/main"}),
        ("pull_request", PAYLOADS["pull_request"] | {"action": "converted_to_draft"}),
        ("installation", PAYLOADS["installation"] | {"action": "deleted"}),
    ],
    ids=["a word", "many words", "blanks", "a deletion", "a tag", "a draft", "farewell"],
)
def test_what_asks_for_nothing_is_known_and_makes_no_work(
    intake: GitHubIntake, inbox: DeliveryRows, bell: Bell, event: str, payload: dict[str, Any]
) -> None:
    assert send(intake, payload, event) == (202, "stored")
    assert inbox.pending(10) == []
    assert bell.rings == 0
    kept = inbox.get("comment-55" if event == "issue_comment" else "d-1")
    assert kept is not None
    assert (kept.event, kept.body) == (event, b"")
    assert send(intake, payload, event) == (202, "duplicate")


@pytest.mark.parametrize(
    "text",
    [
        "/plan",
        "/lgtm\n/plan",
        "word " * 6_000 + "\n\n/plan staging\n\n" + "word " * 6_000,
        "A word\n   /Plan",
        "A word\r\n/plan",
        "A word\r/plan",
        "/\u200bplan",
        "/plan\n" * 11,
    ],
    ids=["alone", "behind another bot's", "among words", "indented", "CRLF", "CR", "invisible", "too many"],
)
def test_what_may_be_a_command_is_work(
    intake: GitHubIntake, inbox: DeliveryRows, bell: Bell, text: str
) -> None:
    assert send(intake, said(text)) == (202, "stored")
    asked = meant(inbox)[1]
    assert isinstance(asked, Message)
    assert asked.text == text
    assert asked.origin.written_at == NOW, "GitHub's own time, whenever it is delivered"
    assert bell.rings == 1


@settings(max_examples=300, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(
    text=st.lists(
        st.sampled_from(
            ["/plan", "/", "plan", " ", "\n", "\r", "\t", "\u200b", "\u2028", "\x0b", "`", ">", "x"]
        ),
        max_size=12,
    ).map("".join)
)
def test_no_command_is_passed_over(intake: GitHubIntake, inbox: DeliveryRows, text: str) -> None:
    """Whatever the grammar finds a command in is work."""
    _status, answer = send(intake, said(text), x_github_delivery="d-" + sign("", text.encode())[-40:])
    waiting = inbox.pending(10)
    inbox.dispatched([one.id for one in waiting])
    if answer == "stored" and not waiting:
        assert find_commands(text) == []


# what is refused


@pytest.mark.parametrize(
    "signature",
    ["", "sha256=", "sha256=" + "0" * 64, "sha1=abc", sign("another", b""), "é", "\udcff"],
)
def test_unsigned_is_refused_before_it_is_read(
    intake: GitHubIntake, inbox: DeliveryRows, signature: str
) -> None:
    assert send(intake, comment(), x_hub_signature_256=signature) == (401, "wrong signature")
    assert inbox.pending(10) == []


def test_a_signature_is_of_one_body(intake: GitHubIntake) -> None:
    body = json.dumps(comment()).encode()
    assert intake.receive(headers(body), body + b" ")[0] == 401


def test_without_a_secret_nothing_is_right(inbox: DeliveryRows, bell: Bell) -> None:
    body = json.dumps(comment()).encode()
    shut = GitHubIntake(inbox, "", bell)
    assert shut.receive(headers(body) | {"x-hub-signature-256": sign("", body)}, body)[0] == 401


@pytest.mark.parametrize("delivery", ["", "x" * 101, "a\nb", "a\0b"])
def test_a_delivery_needs_an_id(intake: GitHubIntake, delivery: str) -> None:
    assert send(intake, comment(), x_github_delivery=delivery)[0] == 400


def test_an_event_needs_a_name(intake: GitHubIntake) -> None:
    assert send(intake, comment(), "")[0] == 400


def test_larger_than_github_sends(intake: GitHubIntake) -> None:
    assert intake.receive({}, b"x" * (MAX_PAYLOAD + 1))[0] == 413


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{",
        b"[]",
        b"null",
        b"\xff\xfe",
        b"[" * 100_000,
        b'{"action": "created"}',
        b'{"action": 1}',
        json.dumps(comment(issue={"number": -1, "pull_request": {}})).encode(),
        json.dumps(comment(repository=REPOSITORY | {"full_name": "../.."})).encode(),
        json.dumps(comment(comment=comment()["comment"] | {"body": "\0"})).encode(),
        json.dumps(comment(comment=comment()["comment"] | {"body": "\ud800"})).encode(),
        b"1" * 5000,
    ],
    ids=range(13),
)
def test_malformed_is_told_from_unsigned(intake: GitHubIntake, inbox: DeliveryRows, body: bytes) -> None:
    assert send(intake, body)[0] == 400
    assert inbox.pending(10) == []


@pytest.mark.parametrize(
    "body", [b"", b"payload", b"x=1", b"payload=%7B", b"payload=%FF", b"&" * 50, b"\xff"]
)
def test_malformed_forms(intake: GitHubIntake, body: bytes) -> None:
    assert send(intake, body, content_type="application/x-www-form-urlencoded")[0] == 400


# what it means


def test_a_comment_says_something(intake: GitHubIntake, inbox: DeliveryRows) -> None:
    send(intake, comment())
    seen, said = meant(inbox)
    assert isinstance(seen, RepositorySeen)
    assert seen.repository.name == "acme/infra"
    assert isinstance(said, Message)
    assert (said.actor, said.text, said.repository, said.pull) == (Actor("ann"), "/plan", "acme/infra", 7)
    assert (said.origin.comment, said.origin.delivery, said.bot, said.slash) == (
        55,
        "comment-55",
        False,
        False,
    )


def test_with_a_token_the_bot_is_a_user_like_others(intake: GitHubIntake, inbox: DeliveryRows) -> None:
    send(intake, comment())
    said = meant(inbox, me="ann")[1]
    assert isinstance(said, Message)
    assert said.bot


def test_a_pull_request_changed(intake: GitHubIntake, inbox: DeliveryRows) -> None:
    send(intake, PAYLOADS["pull_request"], "pull_request")
    assert meant(inbox)[1] == PullChanged("acme/infra", 7, "opened", "a" * 40, "ann")


def test_a_branch_moved(intake: GitHubIntake, inbox: DeliveryRows) -> None:
    send(intake, PAYLOADS["push"], "push")
    assert meant(inbox)[1] == Pushed("acme/infra", "refs/heads/main", "c" * 40, (), ("ann",))


@pytest.mark.parametrize(
    ("action", "pusher"),
    [("synchronize", "ann"), ("opened", "ann"), ("reopened", ""), ("edited", ""), ("closed", "")],
)
def test_who_pushed_to_a_pull_request(
    intake: GitHubIntake, inbox: DeliveryRows, action: str, pusher: str
) -> None:
    send(intake, PAYLOADS["pull_request"] | {"action": action}, "pull_request")
    changed = meant(inbox)[1]
    assert isinstance(changed, PullChanged)
    assert (changed.action, changed.pusher) == (action, pusher)


@pytest.mark.parametrize(
    ("pusher", "pushers"),
    [
        ({"name": "ann"}, ("ann",)),
        ({"name": "bob"}, ("ann", "bob")),
        ({"name": "a deploy key"}, ("ann",)),
        ({}, ("ann",)),
        (None, ("ann",)),
    ],
)
def test_who_pushed_to_any_branch(
    intake: GitHubIntake, inbox: DeliveryRows, pusher: Any, pushers: tuple[str, ...]
) -> None:
    """With the commits that no other branch had, which may come to a pull request by another branch."""
    commits = [{"id": "e" * 40, "distinct": True}, {"id": "f" * 40, "distinct": False}]
    head = {"id": "c" * 40, "distinct": True}
    more = {"ref": "refs/heads/more", "pusher": pusher, "commits": [*commits, head], "head_commit": head}
    send(intake, PAYLOADS["push"] | more, "push")
    wanted = Pushed("acme/infra", "refs/heads/more", "c" * 40, ("c" * 40, "e" * 40), pushers)
    assert meant(inbox)[1] == wanted


def test_re_run(intake: GitHubIntake, inbox: DeliveryRows) -> None:
    send(intake, PAYLOADS["check_run"], "check_run")
    again = meant(inbox)[1]
    assert isinstance(again, CheckRerequested)
    assert (again.name, again.actor) == ("towpath/staging", Actor("ann"))


def test_an_installation_makes_repositories_known(intake: GitHubIntake, inbox: DeliveryRows) -> None:
    send(intake, PAYLOADS["installation"], "installation")
    assert meant(inbox) == [AppInstalled(("acme/infra",))]


def test_a_kept_form_is_understood_after_a_restart(intake: GitHubIntake, inbox: DeliveryRows) -> None:
    body = urlencode({"payload": json.dumps(PAYLOADS["push"])}).encode()
    send(intake, body, "push", content_type="application/x-www-form-urlencoded")
    kept = inbox.get("d-1")
    assert isinstance(kept, Delivery)
    assert kept.headers == {"content-type": "application/x-www-form-urlencoded", "delivery": "d-1"}


# reviews


def review(action: str, state: str) -> dict[str, Any]:
    given = PAYLOADS["pull_request_review"]
    return given | {"action": action, "review": given["review"] | {"state": state}}


@pytest.mark.parametrize(
    ("action", "state"),
    [
        ("submitted", "approved"),
        ("submitted", "changes_requested"),
        ("edited", "approved"),
        ("dismissed", "dismissed"),
    ],
)
def test_a_review_is_read_anew_and_its_words_are_no_commands(
    intake: GitHubIntake, inbox: DeliveryRows, bell: Bell, action: str, state: str
) -> None:
    assert send(intake, review(action, state), "pull_request_review") == (202, "stored")
    assert send(intake, review(action, state), "pull_request_review") == (202, "duplicate")
    assert meant(inbox)[1:] == [Reviewed("acme/infra", 7)]
    assert bell.rings == 1


@pytest.mark.parametrize("action", ["submitted", "edited"])
def test_a_review_that_only_comments_asks_for_nothing(
    intake: GitHubIntake, inbox: DeliveryRows, bell: Bell, action: str
) -> None:
    assert send(intake, review(action, "commented"), "pull_request_review") == (202, "stored")
    assert inbox.pending(10) == []
    assert bell.rings == 0
