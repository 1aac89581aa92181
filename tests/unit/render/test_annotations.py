"""Annotations of a check: what GitHub takes, and nothing but lines of files of the repository."""

from __future__ import annotations

from dataclasses import replace

import pytest

from bot.domain.ports.forge import Annotation
from bot.domain.why import Diagnostic, Failure, Reason
from bot.render.annotations import annotations_of
from tests.unit.render.facts import NASTY, NOW

ERROR = Diagnostic("no such thing", "declared nowhere", "infra/main.tf", 3, 5, "a.b", tracked=True)


def of(*errors: Diagnostic) -> tuple[Annotation, ...]:
    return annotations_of(Failure("r1", "planning", NOW, Reason(exit_code=1, diagnostics=errors)))


def test_an_error_at_its_lines() -> None:
    assert of(ERROR) == (Annotation("infra/main.tf", 3, 5, "no such thing", "declared nowhere\n\nwith a.b"),)
    (bare,) = of(replace(ERROR, detail="", address=""))
    assert bare.message == "no such thing"


def test_what_is_not_in_the_repository_or_has_no_line_is_left_out() -> None:
    assert of(replace(ERROR, tracked=False), replace(ERROR, line=0), replace(ERROR, file="")) == ()


def test_each_once_and_not_more_than_github_takes() -> None:
    assert len(of(ERROR, ERROR)) == 1
    assert len(of(*(replace(ERROR, line=number, end_line=number) for number in range(1, 80)))) == 50


@pytest.mark.parametrize("text", [NASTY * 100, "é" * 60_000, "\n" * 500, "\x1b[31m" * 900, "🎉" * 30_000])
def test_whatever_the_texts_are_they_fit(text: str) -> None:
    (one,) = of(replace(ERROR, summary=text, detail=text, address=text))
    assert 0 < len(one.title) <= 255
    assert 0 < len(one.message.encode()) <= 64 << 10
    assert "\x1b" not in one.title + one.message
    assert "\n" not in one.title
