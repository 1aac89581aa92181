"""The rules of syncs: what counts as reviewed, what is news, which gates a plan of main passes."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from bot.domain.gates import ApplyFacts, Promoted
from bot.domain.gates.apply import PullIsOpen
from bot.domain.plans import OUTSIDE, PlanSection
from bot.domain.refusal import Allowed, Refused
from bot.domain.run import Kind, Outcome
from bot.domain.sync import Sync, changes_digest, changes_of, is_news, status_after, unreviewed_changes
from tests.integration.storage import samples
from tests.unit.domain.test_approval import NOW, PROD
from tests.unit.domain.test_promotion import facts, source

MAIN = "e" * 40


def page(*names: str, line: str = "~ size = 1 -> 2") -> tuple[PlanSection, ...]:
    return tuple(PlanSection("t", f"~ t.{name}", (line,)) for name in names)


def sync(status: Any, digest: str = "") -> Sync:
    return Sync("s1", PROD, MAIN, (7,), "sync", NOW, status, digest=digest)


def on_main(**more: Any) -> ApplyFacts:
    """The apply of a plan of main, whose pull request is merged; staging has its commit of before."""
    plan = samples.plan(target=PROD, commit=MAIN, digest="d" * 64, sync="s1")
    return replace(facts(), plan=plan, pull=samples.pull(head_sha=MAIN, state="merged"), **more)


def test_a_change_is_reviewed_if_one_plan_has_every_line_of_it() -> None:
    planned = changes_of([page("a", "b")])
    assert not unreviewed_changes(planned, [changes_of([page("a")]), changes_of([page("b", "c")])])
    assert unreviewed_changes(planned, [changes_of([page("a")])]) == changes_of([page("b")])
    other = changes_of([page("a", "b", line="~ size = 1 -> 3")])
    assert unreviewed_changes(planned, [other]) == planned
    assert unreviewed_changes(planned, []) == planned


def test_what_changed_outside_terraform_is_no_change() -> None:
    outside = (PlanSection(OUTSIDE, "~ t.x", ("~ size = 1 -> 2",)),)
    assert changes_of([page("a"), outside]) == changes_of([page("a")])


def test_the_digest_does_not_depend_on_the_order_or_the_pages() -> None:
    assert changes_digest(changes_of([page("a", "b")])) == changes_digest(changes_of([page("b"), page("a")]))
    assert changes_digest(changes_of([page("a")])) != changes_digest(changes_of([page("b")]))
    assert changes_digest(changes_of([])) == ""


@pytest.mark.parametrize(
    ("earlier", "news"),
    [
        ([], True),
        ([sync("baseline")], True),
        ([sync("superseded", "d")], False),
        ([sync("differs", "e"), sync("differs", "d")], True),
        ([sync("failed"), sync("differs", "d")], False),
        ([sync("in_sync"), sync("differs", "d")], True),
        ([sync("applied", "d")], True),
    ],
)
def test_a_difference_is_news_until_it_was_told(earlier: list[Sync], news: bool) -> None:
    assert is_news("d", earlier) == news


@pytest.mark.parametrize(
    ("kind", "outcome", "verified", "status"),
    [
        ("sync", "planned", True, None),
        ("sync", "failed", True, "failed"),
        ("sync", "refused", True, "failed"),
        ("sync", "cancelled", True, "cancelled"),
        ("sync", "superseded", True, "superseded"),
        ("apply", "applied", True, "applied"),
        ("apply", "applied", False, "unverified"),
        ("apply", "interrupted", True, "failed"),
        ("apply", "timed_out", True, "failed"),
        ("apply", "refused", True, "waiting"),
        ("apply", "cancelled", True, "differs"),
    ],
)
def test_how_runs_end_a_sync(kind: Kind, outcome: Outcome, verified: bool, status: str | None) -> None:
    assert status_after(kind, outcome, verified=verified) == status


def test_only_plans_of_main_are_applied_after_the_merge() -> None:
    assert isinstance(PullIsOpen().check(on_main()), Allowed)
    before = replace(on_main(), plan=samples.plan(target=PROD, commit=MAIN))
    assert isinstance(PullIsOpen().check(before), Refused)
    closed = on_main()
    closed = replace(closed, pull=replace(closed.pull, state="closed"))
    assert isinstance(PullIsOpen().check(closed), Refused), "closed without a merge"


def test_a_merge_with_the_same_files_counts_as_the_verified_commit() -> None:
    assert isinstance(Promoted().check(on_main(source=source())), Allowed)


@pytest.mark.parametrize(
    "more",
    [
        {"source": source(configuration="other files")},
        {"source": source(configuration="")},
        {"source": source(), "configuration": ""},
    ],
    ids=["other files", "unknown there", "unknown here"],
)
def test_other_files_do_not(more: dict[str, Any]) -> None:
    answer = Promoted().check(on_main(**more))
    assert isinstance(answer, Refused)
    assert answer.code == "other-commit"


def test_before_the_merge_the_commit_itself_must_be_there() -> None:
    found = on_main(source=source())
    assert found.plan is not None
    answer = Promoted().check(replace(found, plan=replace(found.plan, sync="")))
    assert isinstance(answer, Refused)
    assert answer.code == "other-commit"


def test_what_is_there_must_be_verified_after_a_merge_too() -> None:
    answer = Promoted().check(on_main(source=source(verification="failed")))
    assert isinstance(answer, Refused)
    assert answer.code == "unverified"
