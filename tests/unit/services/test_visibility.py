"""What is known of what people could see: commits by the time of GitHub's first word of them, plans by that of the write
that showed them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import pytest

from bot.domain.ports.forge import Comment, PullRequest
from bot.domain.ports.surfaces import Surface
from bot.domain.run import Origin, Plan
from bot.errors import TransientError
from bot.services.context import Context
from bot.services.visibility import await_publication, refuse_unseen_head
from bot.surfaces.publication import publish, unpublished
from bot.surfaces.status_comment import post_comment
from tests.integration.storage import samples
from tests.unit.services.conftest import NOW

SECOND = timedelta(seconds=1)
PULL = samples.pull()


def said(at: datetime, **more: Any) -> Origin:
    return Origin("d1", asked=at.timestamp(), **more)


def saw(context: Context, at: datetime) -> None:
    with context.store.begin() as tables:
        tables.pulls.saw_head(PULL.repository, PULL.number, PULL.head_sha, at)


def test_a_commit_that_was_there_before_is_acted_on(context: Context) -> None:
    saw(context, NOW)
    assert refuse_unseen_head(context, PULL, said(NOW + SECOND), "/plan") is None
    assert refuse_unseen_head(context, PULL, Origin("d1"), "/plan") is None, "no person asked"


@pytest.mark.parametrize("seen", [NOW, NOW + SECOND, None], ids=["in the same second", "later", "unknown"])
def test_a_commit_that_was_pushed_later_is_not(context: Context, seen: datetime | None) -> None:
    if seen is not None:
        saw(context, seen)
    refusal = refuse_unseen_head(context, PULL, said(NOW), "/apply prod aaaaaaa")
    assert refusal is not None
    assert refusal.code == "unread"
    assert refusal.fact.startswith("`aaaaaaa` was pushed after this was written, or in the same second")
    assert refusal.next_step == "Review it, then run `/apply prod aaaaaaa`."


class GitHub:
    """One pull request; and comments, whose times it tells."""

    def __init__(self, pull: PullRequest = PULL) -> None:
        self.now = pull
        self.bodies: list[str] = []

    def pull(self, _repository: str, _number: int) -> PullRequest:
        return self.now

    def comment(self, _repository: str, _number: int, body: str) -> Comment:
        self.bodies.append(body)
        return Comment(1, "n", "towpath[bot]", body, "", NOW)

    def edit_comment(self, _repository: str, _id: int, body: str, *, final: bool) -> datetime:
        self.bodies.append(body)
        return NOW + SECOND


def world(context: Context, github: GitHub) -> Context:
    port: Any = github
    return replace(context, forge=port)


def head_seen(context: Context) -> datetime | None:
    with context.store.read() as tables:
        return tables.pulls.head_seen(PULL.repository, PULL.number, PULL.head_sha)


def test_githubs_answer_tells_since_when_it_is_at_a_commit(context: Context) -> None:
    """The first word counts: later ones are later because of comments. One that is known without it is learnt."""
    github = GitHub(replace(PULL, updated_at=NOW))
    context = world(context, github)
    with context.store.begin() as tables:
        tables.pulls.save(PULL)
    context.refresh(PULL.repository, PULL.number)
    assert head_seen(context) == NOW
    github.now = replace(PULL, updated_at=NOW + 60 * SECOND, title="New")
    context.refresh(PULL.repository, PULL.number)
    assert head_seen(context) == NOW


# plans


def add(context: Context, **more: Any) -> Plan:
    plan = samples.plan("p1", **more)
    with context.store.begin() as tables:
        tables.plans.add(plan, samples.FILE)
    return plan


def kept(context: Context) -> Plan:
    with context.store.read() as tables:
        plan = tables.plans.get("p1")
    assert plan is not None
    return plan


def surface(context: Context, **more: Any) -> Surface:
    made = samples.surface(**more)
    with context.store.begin() as tables:
        tables.surfaces.save(made)
    return made


def test_the_write_that_shows_it_tells_when(context: Context) -> None:
    plan = add(context)
    assert unpublished([None, plan]) == ("p1",)
    publish(context, ("p1",), None)
    assert kept(context).published_at is None, "nothing was written"
    publish(context, ("p1",), NOW)
    assert kept(context).published_at == NOW
    assert unpublished([kept(context)]) == ()
    assert unpublished([kept(context)], in_slack=True) == ("p1",)


def test_a_comment_has_its_platforms_time(context: Context) -> None:
    github = GitHub()
    context = world(context, github)
    posted, at = post_comment(context, surface(context), "one")
    assert at == NOW
    same, at = post_comment(context, posted, "one")
    assert (same, at) == (posted, None)
    _, at = post_comment(context, posted, "two")
    assert at == NOW + SECOND
    assert github.bodies == ["one", "two"]


@pytest.mark.parametrize(
    ("shown", "waits"),
    [
        ([{"due_at": NOW}], True),
        ([{"due_at": None}], False),
        ([{"due_at": NOW, "error": "502"}], False),
        ([], False),
    ],
    ids=["due", "settled", "failing", "no surface"],
)
def test_what_is_just_being_shown_is_waited_for(
    context: Context, shown: Sequence[dict[str, Any]], waits: bool
) -> None:
    plan = add(context)
    for facts in shown:
        surface(context, **facts)
    if waits:
        with pytest.raises(TransientError):
            await_publication(context, plan, said(NOW))
    else:
        await_publication(context, plan, said(NOW))
    await_publication(context, replace(plan, published_at=NOW), said(NOW))
    await_publication(context, replace(plan, posted_at=NOW), said(NOW, channel="C1"))


def test_in_slack_its_card_is_waited_for_too(context: Context) -> None:
    plan = add(context)
    with context.store.begin() as tables:
        tables.surfaces.save(samples.surface("card:acme/infra#7", kind="card", due_at=NOW))
    await_publication(context, plan, said(NOW))
    with pytest.raises(TransientError):
        await_publication(context, plan, said(NOW, channel="C1"))
