"""A review that came before its plan is answered once, and what was answered costs nothing any more."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest

from bot.domain.ports.forge import Review
from bot.services import hearing
from bot.services.context import Context
from bot.surfaces import reply
from tests.unit.render import consents


def test_what_was_answered_is_not_judged_again(context: Context, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[str] = []

    def voter(_context: Context, _approval: Any, login: str) -> Any:
        asked.append(login)

    def tell(tables: Any, origin: Any, repository: str, pull: int, result: Any) -> None:
        reply.want(tables, context.now(), "/infra", origin, repository, pull, result)

    monkeypatch.setattr(hearing.voting, "voter", voter)
    monkeypatch.setattr(hearing, "may", lambda *_: None)
    context = replace(context, tell=tell)
    approval = consents.approval()
    early = [
        Review(number, author, False, "approved", approval.commit, "", datetime.now(UTC))
        for number, author in ((1, "bob"), (2, "carol"), (3, "bob"))
    ]
    hearing.too_early(context, approval, early[:1])
    assert asked == ["bob"]
    hearing.too_early(context, approval, early[:2])
    hearing.too_early(context, approval, early[:2])
    assert asked == ["bob", "carol"]
    hearing.too_early(context, approval, early)
    assert asked == ["bob", "carol", "bob"], "a further review is another one"
