"""Whose decisions count, and what is missing."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import permutations
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.domain.actors import Actor
from bot.domain.approvals import (
    Approval,
    Decision,
    Missing,
    Voter,
    approval_state_of,
    missing_approvals,
    name_people,
    newest_decisions,
    refuse_voter,
)
from bot.domain.run import Origin
from bot.domain.target import Target

NOW = datetime(2030, 1, 2, 3, 4, 5, 600_000, tzinfo=UTC)
PROD = Target("acme/infra", "infra", "prod")
BOBS = {"paths": ["infra/main.tf"], "any_of": ["@bob"]}
WEBS = {"paths": ["envs/prod.tfvars", "web/a.tf"], "any_of": ["@acme/web", "@carol"]}


def approval(**more: Any) -> Approval:
    facts: dict[str, Any] = {
        "id": "a1",
        "target": PROD,
        "pull": 7,
        "run_id": "r1",
        "plan_digest": "d" * 64,
        "commit": "a" * 40,
        "actor": Actor("ann"),
        "origin": Origin(),
        "created_at": NOW,
        "expires_at": NOW + timedelta(hours=24),
        "excluded": ("ann",),
    }
    return Approval(**facts | more)


def said(login: str, answer: str = "approve", after: float = 0, via: str = "slack", **more: Any) -> Decision:
    at = NOW + timedelta(seconds=after)
    facts: dict[str, Any] = {"id": f"{login}-{answer}-{after}-{via}", "approval_id": "a1", "reason": ""}
    return Decision(login=login, answer=answer, via=via, at=at, **facts | more)  # type: ignore[arg-type]


def writer(login: str, *groups: str) -> Voter:
    return Voter(login, "write", frozenset(groups))


def missing(asked: Approval, voters: list[Voter], *words: Decision) -> Missing:
    return approval_state_of(asked, words or [said(one.login) for one in voters], voters).missing


def refused_by(asked: Approval, voter: Voter) -> str:
    refusal = refuse_voter(asked, voter)
    assert refusal is not None
    assert refusal.fact.endswith(".")
    assert refusal.next_step.endswith(".")
    return refusal.code


# how many


@pytest.mark.parametrize(
    ("count", "people", "more"), [(1, 0, 1), (1, 1, 0), (2, 1, 1), (2, 2, 0), (2, 3, 0), (0, 0, 0)]
)
def test_a_count_of_different_people(count: int, people: int, more: int) -> None:
    voters = [writer(f"p{number}") for number in range(people)]
    found = missing(approval(count=count), voters, *[said(one.login) for one in voters])
    assert found.count == more
    assert found.complete == (more == 0)


def test_one_person_counts_once_however_they_spell_themselves() -> None:
    words = [said("bob"), said("BOB", after=5, via="github"), said("Bob", after=9)]
    assert missing(approval(count=2), [writer("Bob")], *words).count == 1


def test_a_person_of_whom_nothing_is_known_counts_for_nothing() -> None:
    found = approval_state_of(approval(), [said("bob")], [])
    assert (found.approved, found.missing.count) == ((), 1)
    assert [one.login for one in found.void] == ["bob"]


@pytest.mark.parametrize("role", ["none", "read", "triage"])
def test_a_lost_role_voids_the_approval(role: Any) -> None:
    found = approval_state_of(approval(), [said("bob")], [Voter("bob", role)])
    assert found.missing.count == 1
    assert [one.login for one in found.void] == ["bob"]
    assert refused_by(approval(), Voter("bob", role)) == "permission"


@pytest.mark.parametrize("role", ["write", "maintain", "admin"])
def test_write_is_enough(role: Any) -> None:
    assert missing(approval(), [Voter("bob", role)]).complete


@pytest.mark.parametrize("login", ["ann", "Ann", "ANN"])
def test_who_asked_does_not_approve(login: str) -> None:
    assert refused_by(approval(), writer(login)) == "self-approval"
    assert missing(approval(), [writer(login)]).count == 1
    owner = approval(owners=({"paths": ["a"], "any_of": ["@ann"]},))
    assert missing(owner, [writer(login)]).owners == owner.owners, "not as a code owner either"
    assert refuse_voter(approval(excluded=()), writer(login)) is None


# whose


def test_only_those_who_are_named_count_for_the_count() -> None:
    asked = approval(teams=("acme/platform", "@acme/ops"), users=("Carol", "@dave"))
    assert name_people(asked) == ("@acme/platform", "@acme/ops", "@Carol", "@dave")
    assert refused_by(asked, writer("bob")) == "not-asked"
    for voter in (
        writer("bob", "@acme/platform"),
        writer("bob", "@acme/ops"),
        writer("carol"),
        writer("DAVE"),
    ):
        assert refuse_voter(asked, voter) is None
        assert missing(asked, [voter]).complete


def test_a_login_is_no_team_and_a_team_no_login() -> None:
    assert refused_by(approval(teams=("acme/platform",)), writer("platform")) == "not-asked"
    assert refused_by(approval(users=("platform",)), writer("bob", "@acme/platform")) == "not-asked"


def test_every_set_of_owners_needs_one_of_its_own() -> None:
    asked = approval(owners=(BOBS, WEBS))
    assert missing(asked, [writer("dave")]).owners == (BOBS, WEBS)
    assert missing(asked, [writer("dave"), writer("bob")]).owners == (WEBS,)
    assert missing(asked, [writer("bob"), writer("dave", "@acme/web")]).complete


def test_one_person_may_count_for_both() -> None:
    assert missing(approval(owners=(BOBS,)), [writer("BOB")]).complete
    both = approval(owners=(BOBS,), users=("bob",))
    assert missing(both, [writer("bob")]).complete


def test_an_owner_who_is_not_named_counts_as_owner_alone() -> None:
    asked = approval(owners=(BOBS,), users=("carol",))
    assert refuse_voter(asked, writer("bob")) is None
    assert missing(asked, [writer("bob")]) == Missing(1, ("@carol",), ())
    assert missing(asked, [writer("carol")]) == Missing(0, ("@carol",), (BOBS,))
    assert missing(asked, [writer("bob"), writer("carol")]).complete


def test_where_only_owners_are_asked_nobody_else_counts() -> None:
    asked = approval(count=0, owners=(BOBS,))
    assert refused_by(asked, writer("carol")) == "not-asked"
    assert missing(asked, [writer("bob")]).complete


def test_a_team_whose_members_nobody_may_see_is_nobody() -> None:
    assert missing(approval(owners=(WEBS,)), [writer("dave")]).owners == (WEBS,)


# the newest word


def test_the_newest_word_counts_in_whatever_order_they_come() -> None:
    words = [said("bob"), said("bob", "reject", 10), said("bob", "approve", 20, "github")]
    for order in permutations(words):
        assert newest_decisions(order)["bob"].answer == "approve"
    for order in permutations([*words[:2], said("bob", "withdraw", 30)]):
        assert newest_decisions(order)["bob"].answer == "withdraw"


def test_a_withdrawn_approval_does_not_count() -> None:
    found = approval_state_of(approval(), [said("bob"), said("bob", "withdraw", 5)], [writer("bob")])
    assert (found.approved, found.void, found.missing.count) == ((), (), 1)


def test_a_rejection_is_told_from_those_who_may() -> None:
    words = [said("bob", "reject"), said("carol"), said("dave", "reject")]
    found = approval_state_of(approval(), words, [writer("bob"), writer("carol"), Voter("dave", "read")])
    assert found.missing.complete
    assert [one.login for one in found.rejected] == ["bob"]
    assert approval_state_of(approval(), [*words, said("bob", after=9)], [writer("bob")]).rejected == ()


def test_of_two_words_in_one_second_on_two_platforms_the_no_counts() -> None:
    """GitHub cuts off the part of the second, so that which came first is not known."""
    click = said("bob", "approve", 0.3)
    review = replace(said("bob", "reject", via="github"), at=NOW.replace(microsecond=0))
    for order in permutations([click, review]):
        assert newest_decisions(order)["bob"] is review


def test_the_same_word_in_one_second_on_two_platforms_is_one_approval() -> None:
    words = [said("bob"), said("bob", via="github"), said("carol"), said("carol", after=0.2)]
    found = approval_state_of(approval(count=2), words, [writer("bob"), writer("carol")])
    assert len(found.approved) == 2
    assert found.missing.complete


def test_two_people_in_one_second_on_two_platforms_are_two() -> None:
    words = [said("bob"), said("carol", via="github")]
    assert missing(approval(count=2), [writer("bob"), writer("carol")], *words).complete


PEOPLE = ["ann", "bob", "carol", "dave"]
WORDS = st.lists(
    st.builds(
        said,
        st.sampled_from(PEOPLE),
        st.sampled_from(["approve", "reject", "withdraw"]),
        st.integers(0, 5).map(float),
    ),
    max_size=8,
    unique_by=lambda one: (one.login, one.at),
)


@settings(max_examples=150, deadline=None)
@given(WORDS, st.randoms(use_true_random=False), st.integers(0, 3))
def test_the_order_of_arrival_does_not_matter_and_no_word_is_counted_twice(
    words: list[Decision], random: Any, count: int
) -> None:
    voters = [writer(name) for name in PEOPLE]
    shuffled = list(words)
    random.shuffle(shuffled)
    first, second = (
        approval_state_of(approval(count=count, owners=(BOBS,)), one, voters) for one in (words, shuffled)
    )
    assert first.missing == second.missing
    who = [one.login for one in first.approved]
    assert len(set(who)) == len(who)
    assert "ann" not in who
    last = {login: max((one for one in words if one.login == login), key=lambda one: one.at) for login in who}
    assert all(one.answer == "approve" for one in last.values())
    assert first.missing.count == max(count - len(who), 0) or count == 0
    assert bool(first.missing.owners) == ("bob" not in who)


# the words


def test_what_is_wanted_reads_as_a_sentence() -> None:
    assert missing_approvals(approval()) == "1 approval (`write` role)"
    asked = approval(count=2, teams=("acme/platform",), users=("carol",), owners=(BOBS, WEBS))
    assert missing_approvals(asked) == (
        "2 approvals from @acme/platform or @carol, and approval from @bob, code owner of `infra/main.tf`, and "
        "@acme/web or @carol, code owners of `envs/prod.tfvars` and 1 more file"
    )
    assert (
        missing_approvals(asked, Missing(0, (), (BOBS,)))
        == "approval from @bob, code owner of `infra/main.tf`"
    )
    assert missing_approvals(approval(count=0)) == "no more approvals"
    assert missing_approvals(approval(count=2, owners=(BOBS,))) == (
        "2 approvals (`write` role), which must include @bob, code owner of `infra/main.tf`"
    )
    both = missing_approvals(approval(count=1, owners=(BOBS, WEBS)))
    assert both.startswith("approval from @bob, code owner of `infra/main.tf`, and @acme/web or @carol"), (
        "their approvals count as the one that anyone may give"
    )
    assert missing_approvals(approval(owners=(BOBS,) * 7)).endswith(", and 2 more code owners")


def test_refusals_say_what_is_needed_and_what_it_waits_for() -> None:
    reader, owner = refuse_voter(approval(), Voter("dave", "read")), refuse_voter(approval(), writer("ann"))
    stranger, other = (
        refuse_voter(approval(), Voter("dave", "none")),
        refuse_voter(approval(users=("carol",)), writer("bob")),
    )
    assert reader
    assert (
        reader.fact == "To approve, you need the `write` role on the repository; @dave has the `read` role."
    )
    assert stranger
    assert stranger.fact.endswith("@dave has no access to this repository.")
    assert owner
    assert owner.fact == (
        "prod needs approval from someone else: @ann requested this apply, opened #7, or wrote or pushed one of its commits."
    )
    assert owner.next_step == "Required: 1 approval (`write` role). They can comment `/approve prod`."
    assert other
    assert other.fact == "prod does not count approvals by @bob."
    assert other.next_step == "Required: 1 approval from @carol. They can comment `/approve prod`."


def test_it_expires_at_its_time() -> None:
    assert not approval().expired(NOW + timedelta(hours=24, microseconds=-1))
    assert approval().expired(NOW + timedelta(hours=24))
    assert approval().live
    assert not approval(status="used").live
