"""A review given before its plan is answered once; after that, looking again asks GitHub nothing."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest

from bot.domain.actors import Role
from bot.domain.ports.forge import Review
from bot.render.command_style import CommandStyle
from bot.services.approvals.outcomes import answer_early_reviews
from bot.services.context import Context
from bot.surfaces import reply
from tests.unit.render import approvals

APPROVAL = replace(approvals.approval(), count=1, owners=())


class Roles:
    """A forge that only knows people's roles, and writes down who was looked up."""

    def __init__(self, roles: dict[str, Role]) -> None:
        self._roles = roles
        self.asked: list[str] = []

    def role(self, _repository: str, login: str) -> Role:
        self.asked.append(login)
        return self._roles[login]

    def members(self, _team: str) -> frozenset[str]:
        return frozenset()


def reviews(*authors: str, first: int = 1) -> Sequence[Review]:
    return [
        Review(number, author, False, "approved", APPROVAL.commit, "", datetime.now(UTC))
        for number, author in enumerate(authors, first)
    ]


@pytest.fixture
def forge() -> Roles:
    return Roles({"bob": "write", "carol": "maintain", "dave": "read"})


@pytest.fixture
def answering(context: Context, forge: Roles) -> Context:
    def tell(tables: Any, origin: Any, repository: str, pull: int, result: Any) -> None:
        reply.queue_reply(tables, context.now(), CommandStyle("/infra", pull, repository), origin, result)

    return replace(context, forge=forge, tell=tell)


def answers(context: Context) -> list[str]:
    """The subjects of the replies, in order."""
    with context.store.read() as tables:
        found = tables.surfaces.of_pull(APPROVAL.target.repository, APPROVAL.pull, "reply")
    return sorted(surface.subject for surface in found)


def test_each_review_is_answered_once(answering: Context, forge: Roles) -> None:
    answer_early_reviews(answering, APPROVAL, reviews("bob"))
    answer_early_reviews(answering, APPROVAL, reviews("bob", "carol"))
    answer_early_reviews(answering, APPROVAL, reviews("bob", "carol"))
    assert answers(answering) == ["review:1:0", "review:2:0"]
    assert forge.asked == ["bob", "carol"], "what was answered was looked up again"


def test_a_further_review_is_another_one(answering: Context) -> None:
    answer_early_reviews(answering, APPROVAL, reviews("bob"))
    answer_early_reviews(answering, APPROVAL, reviews("bob", "carol", "bob"))
    assert answers(answering) == ["review:1:0", "review:2:0", "review:3:0"]


def test_of_one_person_the_newest_is_answered(answering: Context) -> None:
    answer_early_reviews(answering, APPROVAL, reviews("bob", "bob"))
    assert answers(answering) == ["review:2:0"]


def test_who_may_not_approve_gets_no_answer(answering: Context) -> None:
    answer_early_reviews(answering, APPROVAL, reviews("dave"))
    assert answers(answering) == []
