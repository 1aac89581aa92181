"""Approval requests: what they ask for, how they follow their plan, and what people are told when they end."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from bot.domain.actors import Actor
from bot.domain.approvals import Approval, ApprovalStatus
from bot.domain.audit import Entry
from bot.domain.chat import Notice
from bot.domain.policy.loader import parse_policy
from bot.domain.refusal import Refused
from bot.domain.run import Origin, Plan, Run
from bot.domain.target import Target
from bot.errors import UserError
from bot.services.approvals import (
    ApprovalTerms,
    NewApproval,
    approval_plan_failed,
    approval_plan_ready,
    approval_request,
    approval_terms,
    end_approval,
    end_outdated_approvals,
    notify_approvers,
    open_approval,
    outdated_because,
    refuse_ended,
)
from bot.services.approvals.requests import MOST_ASKED
from bot.services.context import Context
from bot.services.targets import PullContext
from tests.integration.storage import samples
from tests.unit.services.conftest import Clock
from tests.unit.services.told import Told

PROD = Target("acme/infra", "infra", "prod")
ANN, BOB, HEAD, TIP = Actor("ann"), Actor("bob"), "a" * 40, "b" * 40
PULL = samples.pull(head_sha=HEAD, author="ann")
DESTROYS: dict[str, Any] = {
    "changes": [
        {"address": "a.b", "type": "a", "action": "delete"},
        {"address": "a.c", "type": "a", "action": "replace"},
        {"address": "a.d", "type": "a", "action": "create"},
    ]
}


def policy(approvals: str = "count = 1") -> Any:
    text = f'[env.prod]\napprovals = {{ {approvals} }}\n[stack.infra]\nroot = "infra"\n'
    return parse_policy(text, "policy")


def plan(**more: Any) -> Plan:
    return samples.plan(**{"target": PROD, "commit": HEAD, "summary": {}, **more})


def wanted(approvals: str = "count = 1", delivery: str = "d1", **more: Any) -> NewApproval:
    facts: dict[str, Any] = {"plan": plan(), "run_id": "r1", "terms": ApprovalTerms()}
    environment = policy(approvals).environments["prod"]
    return NewApproval(PULL, environment, PROD, ANN, Origin(delivery), **facts | more)


@pytest.fixture
def told() -> Told:
    return Told()


@pytest.fixture
def asking(context: Context, told: Told) -> Context:
    return replace(context, tell=told)


def open_one(context: Context, new: NewApproval | None = None) -> Approval:
    with context.store.begin() as tables:
        return open_approval(context, tables, new or wanted())


def kept(context: Context, approval: Approval) -> Approval:
    with context.store.read() as tables:
        found = tables.approvals.get(approval.id)
    assert found is not None
    return found


def end(context: Context, approval: Approval, status: ApprovalStatus = "dead") -> bool:
    with context.store.begin() as tables:
        return end_approval(context, tables, approval, status, "it was planned again")


def entries(context: Context) -> list[Entry]:
    with context.store.read() as tables:
        return list(tables.audit.entries())


def due(context: Context) -> list[str]:
    """The approval's surfaces that are due."""
    with context.store.read() as tables:
        found = tables.surfaces.of_pull("acme/infra", 7, "approval")
    return sorted(one.subject for one in found if one.due_at)


# opening


def test_it_asks_what_the_policy_and_the_terms_say(asking: Context) -> None:
    owners: Any = ({"paths": ["infra/a.tf"], "any_of": ["@bob"]},)
    rules = 'count = 2, teams = ["acme/web"], users = ["carol"], expires = "3h"'
    made = open_one(asking, wanted(rules, terms=ApprovalTerms(owners, ("ann",)), plan=plan(summary=DESTROYS)))
    assert kept(asking, made) == made
    assert (made.status, made.plan_digest, made.commit, made.run_id) == ("open", plan().digest, HEAD, "r1")
    assert (made.count, made.teams, made.users) == (2, ("acme/web",), ("carol",))
    assert (made.owners, made.excluded) == (owners, ("ann",))
    assert made.expires_at - made.created_at == timedelta(hours=3)
    assert made.destroys == 2, "a creation destroys nothing"
    (entry,) = entries(asking)
    assert (entry.action, entry.login, entry.run_id) == ("approval.asked", "ann", "r1")
    assert entry.facts == {
        "approval": made.id,
        "plan": plan().digest,
        "commit": HEAD,
        "wanted": "2 approvals from @acme/web or @carol, and approval from @bob, code owner of `infra/a.tf`",
    }
    assert due(asking) == [made.id]


def test_one_for_a_plan_that_is_still_made(asking: Context) -> None:
    made = open_one(asking, wanted(plan=None))
    assert (made.status, made.plan_digest, made.destroys, made.commit) == ("planning", "", 0, HEAD)


def test_a_revert_that_loses_data_needs_one_more(asking: Context) -> None:
    lossy = plan(reverts="rel1", commit="e" * 40, losses=("a.b", "a.c"))
    made = open_one(asking, wanted(plan=lossy))
    assert (made.count, made.reverts, made.commit) == (2, "rel1", "e" * 40)
    assert (made.word, made.what) == ("revert", "revert of prod")


def test_without_rules_only_the_loss_is_approved_and_as_long_as_the_plan_lasts(asking: Context) -> None:
    made = open_one(asking, wanted("count = 0", plan=plan(reverts="rel1", losses=("a.b",))))
    assert made.count == 1
    assert made.expires_at - made.created_at == timedelta(hours=24)


def test_asking_again_for_the_same_plan_goes_on_with_the_first(asking: Context) -> None:
    first = open_one(asking)
    again = open_one(asking, wanted(delivery="d2"))
    assert again == first
    assert len(entries(asking)) == 1


def test_when_approved_is_added_and_never_taken_away(asking: Context) -> None:
    first = open_one(asking)
    assert open_one(asking, wanted(delivery="d2", when_approved=True)).when_approved
    assert kept(asking, first).when_approved
    assert open_one(asking, wanted(delivery="d3")).when_approved
    assert kept(asking, first).when_approved


def test_one_for_another_plan_ends_the_first(asking: Context) -> None:
    first = open_one(asking)
    second = open_one(asking, wanted(delivery="d2", run_id="r2", plan=plan(run_id="r2")))
    assert second.id != first.id
    ended = kept(asking, first)
    assert (ended.status, ended.why) == ("dead", "its plan was replaced by another one")
    assert kept(asking, second).live


def test_an_expired_one_is_not_gone_on_with(asking: Context, clock: Clock) -> None:
    first = open_one(asking)
    clock.pass_by(hours=24)
    second = open_one(asking, wanted(delivery="d2"))
    assert second.id != first.id
    ended = kept(asking, first)
    assert (ended.status, ended.why) == ("expired", "it was not approved in time")
    assert kept(asking, second).live


# following the plan


def ready(context: Context, made: Plan) -> None:
    with context.store.begin() as tables:
        approval_plan_ready(context, tables, made)


def test_its_plan_opens_it(asking: Context) -> None:
    made = open_one(asking, wanted(plan=None))
    ready(asking, plan(summary=DESTROYS))
    opened = kept(asking, made)
    assert (opened.status, opened.plan_digest, opened.destroys) == ("open", plan().digest, 2)


def test_a_newer_plan_ends_it(asking: Context) -> None:
    made = open_one(asking)
    ready(asking, plan(run_id="r2"))
    assert (kept(asking, made).status, kept(asking, made).why) == ("dead", "it was planned again")


def test_an_open_one_stays_as_it_was_approved(asking: Context) -> None:
    """The same run cannot make another plan; if it tells twice, the digest that people saw stays."""
    made = open_one(asking)
    ready(asking, plan(digest="e" * 64, summary=DESTROYS))
    assert kept(asking, made) == made


def test_a_plan_of_another_pull_request_is_not_its_own(asking: Context) -> None:
    made = open_one(asking)
    ready(asking, plan(pull=8, run_id="r2"))
    assert kept(asking, made).live


@pytest.mark.parametrize(("run_id", "status"), [("r1", "dead"), ("r2", "planning")])
def test_its_plan_failed(asking: Context, run_id: str, status: str) -> None:
    made = open_one(asking, wanted(plan=None))
    with asking.store.begin() as tables:
        approval_plan_failed(asking, tables, Run(run_id, "plan", PROD, 7, HEAD))
    found = kept(asking, made)
    assert (found.status, found.why) == (status, "its plan failed" if run_id == "r1" else "")


@pytest.mark.parametrize(
    ("more", "why"),
    [
        ({}, ""),
        ({"head_sha": "d" * 40}, "`ddddddd` was pushed since"),
        ({"state": "closed"}, "#7 is closed"),
        ({"state": "merged", "head_sha": "d" * 40}, "#7 is merged"),
    ],
)
def test_what_no_longer_fits_its_pull_request_ends(asking: Context, more: Any, why: str) -> None:
    made = open_one(asking)
    pull = replace(PULL, **more)
    assert outdated_because(made, pull) == why
    with asking.store.begin() as tables:
        end_outdated_approvals(asking, tables, pull)
    ended = kept(asking, made)
    assert (ended.live, ended.why) == (not why, why)


def test_one_of_an_unknown_pull_request_does_not_fit(asking: Context) -> None:
    assert outdated_because(open_one(asking), None) == "#7 is closed"


def test_a_reverts_approval_survives_pushes_and_the_merge(asking: Context) -> None:
    made = open_one(asking, wanted(plan=plan(reverts="rel1", commit="e" * 40)))
    merged = replace(PULL, head_sha="d" * 40, state="merged")
    with asking.store.begin() as tables:
        end_outdated_approvals(asking, tables, merged)
    assert kept(asking, made).live


# ending


def test_it_ends_once(asking: Context, told: Told) -> None:
    made = open_one(asking, wanted(when_approved=True))
    assert end(asking, made)
    assert not end(asking, made, "expired")
    assert kept(asking, made).status == "dead"
    assert [one.action for one in entries(asking)] == ["approval.asked", "approval.dead"]
    assert entries(asking)[-1].facts == {"approval": made.id, "why": "it was planned again"}
    assert len(told.notices) == 1


@pytest.mark.parametrize("status", ["dead", "expired"])
def test_who_counts_on_it_is_told(asking: Context, told: Told, status: ApprovalStatus) -> None:
    made = open_one(asking, wanted(when_approved=True))
    end(asking, made, status)
    notice = Notice(
        "@ann: the apply to prod that you requested was called off: it was planned again.",
        "`/apply prod when-approved` requests it again.",
        "warning",
    )
    assert told.notices == [(f"approval:{made.id}:{status}", notice)]


@pytest.mark.parametrize(
    ("status", "when_approved"), [("dead", False), ("used", True), ("rejected", True), ("expired", False)]
)
def test_nobody_else_is(asking: Context, told: Told, status: ApprovalStatus, when_approved: bool) -> None:
    end(asking, open_one(asking, wanted(when_approved=when_approved)), status)
    assert told.notices == []


@pytest.mark.parametrize(
    ("status", "why", "fact"),
    [
        ("used", "", "The approval for prod was used."),
        ("rejected", "@bob rejected it", "The approval for prod was rejected: @bob rejected it."),
        ("expired", "", "The approval for prod has expired."),
        ("dead", "its plan failed", "The approval for prod is no longer valid: its plan failed."),
    ],
)
def test_how_it_ended_is_told(asking: Context, status: ApprovalStatus, why: str, fact: str) -> None:
    made = open_one(asking)
    assert refuse_ended(made) is None
    ended = replace(made, status=status, why=why)
    assert refuse_ended(ended) == Refused("approval-over", fact, "`/apply prod` requests a new one.")
    of_revert = refuse_ended(replace(ended, reverts="rel1"))
    assert of_revert is not None
    assert of_revert.next_step == "`/revert prod` requests a new one."


# terms


class World:
    """GitHub and git: one team, the commits' authors, and the CODEOWNERS of the default branch."""

    def __init__(self, owners: bytes | None = None, changed: Sequence[str] = ("infra/a.tf",)) -> None:
        self._owners = owners
        self._changed = changed
        self.between: list[tuple[str, str]] = []
        self.newer = ["c1"]

    def members(self, team: str) -> frozenset[str] | None:
        return {"acme/web": frozenset({"ann", "bob"}), "acme/all": frozenset({"bob", "carol"})}.get(team)

    def commits(self, *_facts: object) -> list[str]:
        return self.newer

    def authors(self, *_facts: object) -> frozenset[str]:
        return frozenset({"dave"})

    def changed(self, _repository: str, base: str, head: str) -> Sequence[str]:
        self.between.append((base, head))
        return self._changed

    def repository(self, name: str) -> Any:
        return samples.repository(name)

    def read(self, _repository: str, commit: str, path: str) -> bytes | None:
        assert commit == TIP, "only the default branch says who owns what"
        return self._owners if path == "CODEOWNERS" else None

    def codeowners_errors(self, *_facts: object) -> list[str]:
        return []


def terms(
    context: Context, rules: str, world: World | None = None, revert: Plan | None = None
) -> ApprovalTerms:
    ports: Any = world or World()
    known = replace(context, forge=ports, git=ports)
    return approval_terms(known, PullContext(PULL, policy(rules), TIP), PROD, BOB, other_plan=revert)


def test_requester_opener_and_authors_are_barred(asking: Context) -> None:
    assert terms(asking, "count = 1") == ApprovalTerms(excluded=("ann", "bob", "dave"))


def test_who_pushed_is_barred(asking: Context) -> None:
    with asking.store.begin() as tables:
        tables.pushers.add("acme/infra", PULL.number, ["Erin"])
        tables.pushers.add_commits("acme/infra", ["c1", "c9"], ["frank"])
        tables.pushers.add_commits("acme/infra", ["c9"], ["grace"])
        tables.pushers.add_commits("acme/other", ["c1"], ["grace"])
    assert terms(asking, "count = 1").excluded == ("ann", "bob", "dave", "erin", "frank")
    with asking.store.read() as tables:
        assert tables.pushers.of_pull("acme/infra", PULL.number) == {"erin", "frank"}


def test_self_approval_bars_nobody(asking: Context) -> None:
    assert terms(asking, "count = 1, self = true") == ApprovalTerms()


def test_a_revert_is_its_requesters_work(asking: Context) -> None:
    """And of those whose commits it brings back."""
    world = World()
    world.newer = []
    back = plan(reverts="rel1")
    assert terms(asking, "count = 1", world, back) == ApprovalTerms(excluded=("bob",))
    assert terms(asking, "count = 0", revert=back) == ApprovalTerms(excluded=("bob",))
    assert terms(asking, "count = 1", revert=back) == ApprovalTerms(excluded=("bob", "dave"))


def test_without_rules_nobody_is_asked_about(asking: Context) -> None:
    assert terms(asking, "count = 0") == ApprovalTerms()


def test_the_owners_of_what_it_changes(asking: Context) -> None:
    world = World(b"* @carol\n/infra/ @erin\n")
    owners = ({"paths": ["infra/a.tf"], "any_of": ["@erin"]},)
    assert terms(asking, "codeowners = true", world).owners == owners
    assert world.between == [(TIP, HEAD)]


def test_a_revert_changes_its_own_paths(asking: Context) -> None:
    world = World(b"* @carol\n")
    assert terms(asking, "codeowners = true", world, plan(reverts="rel1", commit="e" * 40)).owners
    assert world.between == [("e" * 40, "b1")]


def test_a_team_that_is_gone_refuses(asking: Context) -> None:
    with pytest.raises(UserError, match="Team `acme/gone`, whose approval `prod` needs"):
        terms(asking, 'count = 1, teams = ["acme/gone"]')


def test_what_nobody_can_complete_refuses(asking: Context) -> None:
    with pytest.raises(UserError) as refused:
        terms(asking, 'count = 1, teams = ["acme/web"]')
    assert refused.value.what == (
        "`prod` needs 1 approval by @acme/web, and nobody can: whoever requested the apply, opened #7, or wrote or pushed "
        "one of its commits may not approve."
    )


def test_a_second_requester_of_an_open_one_is_not_refused(asking: Context) -> None:
    """The first was asked by somebody else, for whom it can be completed."""
    open_one(asking)
    assert terms(asking, 'count = 1, teams = ["acme/web"]').excluded == ("ann", "bob", "dave")


# seeing it


def test_messages_go_to_approvers_whose_slack_user_is_known(asking: Context) -> None:
    linked = replace(asking, logins={"U1": "Bob", "U2": "ann", "U3": "zoe"}, forge=World())  # type: ignore[arg-type]
    made = open_one(linked, wanted('teams = ["acme/all"]', terms=ApprovalTerms(excluded=("carol",))))
    notify_approvers(linked, made)
    assert due(linked) == sorted([made.id, f"{made.id}/U1"])
    with linked.store.read() as tables:
        surface = tables.surfaces.get(f"approval:{made.id}/U1")
    assert surface is not None
    assert surface.wanted == {"user": "U1"}


def test_only_so_many_messages_are_sent(asking: Context) -> None:
    users = [f"p{number:02}" for number in range(MOST_ASKED + 5)]
    linked = replace(asking, logins={f"U{name}": name for name in users})
    made = open_one(linked)
    notify_approvers(linked, replace(made, users=tuple(users)))
    assert len(due(linked)) == MOST_ASKED + 1


def test_of_an_unknown_approval_or_pull_request_there_is_nothing_to_see(asking: Context) -> None:
    assert approval_request(asking, "gone") is None
    assert approval_request(asking, open_one(asking).id) is None
