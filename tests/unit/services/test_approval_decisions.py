"""A decision counts only of whom GitHub allows it now, on the plan that was read, while the approval is live."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from bot.domain.actors import Actor, Role
from bot.domain.approvals import Approval, Decision
from bot.domain.audit import Entry
from bot.domain.chat import Notice
from bot.domain.ports.forge import PullRequest, Review
from bot.domain.refusal import Refused
from bot.domain.run import Origin
from bot.domain.target import Target
from bot.services.approvals import GivenDecision, decide, read_reviews, recorded_decision
from bot.services.context import Context
from tests.fixtures.refusals import refusal_of
from tests.integration.storage import samples
from tests.unit.services.conftest import NOW, Clock
from tests.unit.services.told import Told

PROD = Target("acme/infra", "infra", "prod")
ANN, BOB, HEAD = Actor("ann"), Actor("bob", slack="T1/U2", via="slack"), "a" * 40
OWNERS: Any = ({"paths": ["infra/a.tf"], "any_of": ["@bob"]},)
APPROVAL = Approval(
    id="a1", target=PROD, pull=7, run_id="r1", plan_digest="d1g357" + "0" * 58, commit=HEAD, actor=ANN,
    origin=Origin("d1"), created_at=NOW, expires_at=NOW + timedelta(hours=1), excluded=("ann",),
)  # fmt: skip
POLICY = '[env.prod]\napprovals = { count = 1 }\n[stack.infra]\nroot = "infra"\n'


class World:
    """GitHub and git at rest, until a test changes them. `meanwhile` happens while GitHub is asked for a role."""

    def __init__(self) -> None:
        self.roles: dict[str, Role] = {
            "ann": "write", "bob": "write", "carol": "maintain", "rae": "read", "eve": "none",
        }  # fmt: skip
        self.now = samples.pull(head_sha=HEAD, author="ann")
        self.policy = POLICY
        self.owners: bytes | None = None
        self.given: list[Review] = []
        self.asked: list[str] = []
        self.meanwhile: Callable[[], object] = lambda: None

    def pull(self, _repository: str, _number: int) -> PullRequest:
        return self.now

    def repository(self, name: str) -> Any:
        return samples.repository(name)

    def head_of(self, _repository: str, _branch: str) -> str:
        return "b" * 40

    def git_credentials(self, _repository: str) -> None:
        return None

    def fetch(self, *_facts: object, **_named: object) -> None:
        """Everything is there."""

    def read(self, _repository: str, _commit: str, path: str) -> bytes | None:
        if path.endswith("environments.toml"):
            return self.policy.encode()
        return self.owners if path == "CODEOWNERS" else None

    def changed(self, *_facts: object) -> Sequence[str]:
        return ["infra/a.tf"]

    def codeowners_errors(self, *_facts: object) -> list[str]:
        return []

    def reviews(self, _repository: str, _number: int) -> list[Review]:
        return self.given

    def members(self, team: str) -> frozenset[str] | None:
        return frozenset({"bob"}) if team == "acme/web" else None

    def role(self, _repository: str, login: str) -> Role:
        self.asked.append(login)
        self.meanwhile()
        return self.roles[login.lower()]


@pytest.fixture
def world() -> World:
    return World()


@pytest.fixture
def told() -> Told:
    return Told()


@pytest.fixture
def deciding(context: Context, world: World, told: Told) -> Context:
    ports: Any = world
    return replace(context, forge=ports, git=ports, tell=told)


def given(answer: Any = "approve", delivery: str = "click", **more: Any) -> GivenDecision:
    return GivenDecision(answer, Origin(delivery), **more)


def ask(context: Context, **more: Any) -> Approval:
    """An approval that waits for decisions, and its plan."""
    made = replace(APPROVAL, **more)
    with context.store.begin() as tables:
        tables.approvals.add(made)
        tables.plans.add(samples.plan("r1", target=PROD, commit=HEAD, published_at=NOW), samples.FILE)
    return made


def kept(context: Context) -> Approval:
    with context.store.read() as tables:
        found = tables.approvals.get("a1")
    assert found is not None
    return found


def decisions(context: Context) -> list[Decision]:
    with context.store.read() as tables:
        return tables.approvals.decisions("a1")


def decided(context: Context) -> list[Entry]:
    """The record of the decisions."""
    with context.store.read() as tables:
        return [one for one in tables.audit.entries() if one.action == "approval.decided"]


def refused(context: Context, approval: Approval, actor: Actor, what: GivenDecision) -> Refused:
    """The refusal, after which nothing was decided."""
    before = decisions(context)
    said = refusal_of(decide, context, approval, actor, what)
    assert decisions(context) == before
    assert len(decided(context)) == len(before)
    return said


# approving


def test_an_approval_is_recorded_and_announced_once_complete(deciding: Context, told: Told) -> None:
    made = decide(deciding, ask(deciding), BOB, given(reason="  read it  "))
    assert made.answer == "approve"
    assert made.state.missing.complete
    (row,) = decisions(deciding)
    assert (row.login, row.answer, row.reason, row.via, row.role) == (
        "bob", "approve", "read it", "slack", "write",
    )  # fmt: skip
    (entry,) = decided(deciding)
    assert (entry.login, entry.via, entry.target) == ("bob", "slack", PROD.key)
    assert entry.facts["plan"] == APPROVAL.plan_digest
    assert kept(deciding).ready_at is not None
    assert kept(deciding).status == "open", "the apply uses it, not the decision"
    assert told.notices == [
        ("approval:a1:ready", Notice("@ann: the apply to prod is approved.", "`/apply prod`", "good"))
    ]


def written(seconds: float, digest: str = "", commit: str = "") -> GivenDecision:
    """`/approve`, so long after the plan was shown."""
    origin = Origin("said", asked=(NOW + timedelta(seconds=seconds)).timestamp())
    return GivenDecision("approve", origin, digest=digest, commit=commit)


def test_a_comment_approves_what_was_shown_before_it(deciding: Context) -> None:
    """And has its own time, whenever it is processed."""
    decide(deciding, ask(deciding), BOB, written(1))
    assert [one.at for one in decisions(deciding)] == [NOW + timedelta(seconds=1)]


@pytest.mark.parametrize("seconds", [-60, 0, 0.9], ids=["before", "then", "in the same second"])
def test_a_comment_does_not_approve_what_was_shown_after_it(deciding: Context, seconds: float) -> None:
    said = refused(deciding, ask(deciding), BOB, written(seconds))
    assert said.code == "unread"
    assert said.fact.startswith("The plan for prod at `aaaaaaa` was published after this was written")
    assert said.next_step == "Review it, then run `/approve prod aaaaaaa`."


def test_a_click_names_its_plan_and_needs_no_time(deciding: Context) -> None:
    made = decide(deciding, ask(deciding), BOB, written(-60, APPROVAL.plan_digest[:16]))
    assert made.state.missing.complete


@pytest.mark.parametrize("seconds", [30, 60], ids=["before", "in the same second"])
def test_a_comment_from_before_a_rejection_does_not_approve_the_next_request(
    deciding: Context, seconds: float
) -> None:
    """Of the same plan: bob approved what carol rejected then, and ann asked again before his comment arrived."""
    rejection = Decision("r", "a0", "carol", "reject", "no", "github", NOW + timedelta(seconds=60), "write")
    with deciding.store.begin() as tables:
        tables.approvals.add(replace(APPROVAL, id="a0", status="rejected"))
        tables.approvals.decide(rejection)
    approval = ask(deciding)
    said = refused(deciding, approval, BOB, written(seconds))
    assert said.fact.startswith("The plan for prod was rejected after this was written")
    assert said.next_step == "If you still approve, run `/approve prod`."
    assert decide(deciding, approval, BOB, written(61)).state.missing.complete


def test_a_commit_that_is_named_must_be_the_one(deciding: Context) -> None:
    said = refused(deciding, ask(deciding), BOB, written(60, commit="abcdef1"))
    assert said.code == "names-other-commit"
    assert said.fact == "This names `abcdef1`, but the approval for prod is for `aaaaaaa`."
    assert said.next_step == "Review its plan, then run `/approve prod aaaaaaa`."
    assert refused(deciding, kept(deciding), BOB, written(-60, commit=HEAD[:7])).code == "unread", (
        "to name it is not to have read it"
    )
    assert decide(deciding, kept(deciding), BOB, written(60, commit=HEAD[:7])).state.missing.complete


def test_a_further_one_announces_nothing_again(deciding: Context, told: Told) -> None:
    approval = ask(deciding)
    decide(deciding, approval, BOB, given())
    decide(deciding, approval, Actor("carol"), given(delivery="other"))
    assert len(decisions(deciding)) == 2
    assert len(told.notices) == 1


def test_what_applies_by_itself_is_not_announced(deciding: Context, told: Told) -> None:
    decide(deciding, ask(deciding, when_approved=True), BOB, given())
    assert kept(deciding).ready_at is not None
    assert told.notices == []


def test_one_of_two_is_not_enough(deciding: Context, told: Told) -> None:
    state = decide(deciding, ask(deciding, count=2), BOB, given()).state
    assert state.missing.count == 1
    assert kept(deciding).ready_at is None
    assert told.notices == []


def test_the_same_request_twice_is_one_decision(deciding: Context, world: World) -> None:
    approval = ask(deciding)
    first = decide(deciding, approval, BOB, given())
    world.asked.clear()
    again = decide(deciding, approval, BOB, given("reject"))
    assert again.answer == first.answer == "approve"
    assert len(decisions(deciding)) == 1
    assert world.asked == []


def test_a_recorded_decision_is_found_by_its_request(deciding: Context) -> None:
    approval = ask(deciding)
    decide(deciding, approval, BOB, given())
    with deciding.store.read() as tables:
        found = recorded_decision(tables, approval, Origin("click", channel="C1"))
        assert recorded_decision(tables, approval, Origin("click", index=1)) is None
    assert [found] == decisions(deciding)


@pytest.mark.parametrize(
    ("login", "code", "fact"),
    [
        (
            "rae",
            "permission",
            "To approve, you need the `write` role on the repository; @rae has the `read` role.",
        ),
        (
            "eve",
            "permission",
            "To approve, you need the `write` role on the repository; @eve has no access to this repository.",
        ),
        (
            "Ann",
            "self-approval",
            "prod needs approval from someone else: @Ann requested this apply, opened #7, or wrote or pushed one of its commits.",
        ),
    ],
)
def test_who_may_not_approve(deciding: Context, login: str, code: str, fact: str) -> None:
    said = refused(deciding, ask(deciding), Actor(login), given())
    assert (said.code, said.fact) == (code, fact)
    assert kept(deciding).ready_at is None


def test_whose_approval_is_not_asked_for(deciding: Context) -> None:
    approval = ask(deciding, teams=("acme/web",))
    assert refused(deciding, approval, Actor("carol"), given()) == Refused(
        "not-asked",
        "prod does not count approvals by @carol.",
        "Required: 1 approval from @acme/web. They can comment `/approve prod`.",
    )
    assert decide(deciding, approval, BOB, given()).state.missing.complete


def test_somebody_who_lost_their_role_no_longer_counts(deciding: Context, world: World) -> None:
    approval = ask(deciding, count=2)
    decide(deciding, approval, BOB, given())
    world.roles["bob"] = "read"
    state = decide(deciding, approval, Actor("carol"), given(delivery="other")).state
    assert [one.login for one in state.void] == ["bob"]
    assert state.missing.count == 1
    assert kept(deciding).ready_at is None


@pytest.mark.parametrize(("typed", "allowed"), [("", False), ("staging", False), ("prod", True)])
def test_what_destroys_is_approved_by_name(deciding: Context, typed: str, allowed: bool) -> None:
    approval = ask(deciding, destroys=2)
    if allowed:
        assert decide(deciding, approval, BOB, given(typed=typed)).state.missing.complete
        return
    assert refused(deciding, approval, BOB, given(typed=typed)) == Refused(
        "typed",
        "This plan destroys or replaces 2 resources. Name the environment to approve it.",
        "`/approve prod`",
    )


def test_a_plan_that_is_still_made_cannot_be_approved(deciding: Context) -> None:
    approval = ask(deciding, status="planning", plan_digest="")
    assert refused(deciding, approval, BOB, given()) == Refused(
        "planning",
        "The plan for prod is still running, so nobody can have read it.",
        "When it is done, read it, then run `/approve prod`.",
    )


def test_only_the_plan_that_was_read(deciding: Context) -> None:
    approval = ask(deciding)
    assert refused(deciding, approval, BOB, given(digest="abc")) == Refused(
        "approval-over",
        "That plan for prod is not the one waiting for approval now.",
        "Read the latest one, then run `/approve prod`.",
    )
    assert decide(deciding, approval, BOB, given(digest="d1g357")).state.missing.complete


# rejecting


def test_a_rejection_ends_it(deciding: Context, told: Told) -> None:
    decide(deciding, ask(deciding), BOB, given("reject", reason="not today"))
    ended = kept(deciding)
    assert (ended.status, ended.why) == ("rejected", "@bob rejected it: not today")
    notice = Notice("@bob rejected the apply to prod: not today.", tone="warning")
    assert told.notices == [("approval:a1:rejected", notice)]


def test_a_plan_that_is_still_made_can_be_rejected(deciding: Context) -> None:
    decide(deciding, ask(deciding, status="planning", plan_digest=""), BOB, given("reject"))
    assert (kept(deciding).status, kept(deciding).why) == ("rejected", "@bob rejected it")


def test_the_requester_may_take_it_back_whatever_their_role(deciding: Context, world: World) -> None:
    world.roles["ann"] = "read"
    decide(deciding, ask(deciding), ANN, given("reject"))
    assert kept(deciding).status == "rejected"


@pytest.mark.parametrize(("login", "has"), [("rae", "`read`"), ("eve", "no access")])
def test_who_may_not_reject(deciding: Context, login: str, has: str) -> None:
    assert refused(deciding, ask(deciding), Actor(login), given("reject")) == Refused(
        "permission",
        f"Rejecting needs the `write` role; you have {has}.",
        "Ask somebody who has it to comment `/reject prod <reason>`.",
    )
    assert kept(deciding).live


# an approval that is over


def test_one_that_has_expired_takes_none_and_ends(deciding: Context, world: World, clock: Clock) -> None:
    approval = ask(deciding)
    clock.pass_by(hours=1)
    assert refused(deciding, approval, BOB, given()) == Refused(
        "approval-over",
        "The approval for prod has expired: it was not approved in time.",
        "`/apply prod` requests a new one.",
    )
    assert kept(deciding).status == "expired"
    assert world.asked == []


def test_one_of_an_older_commit_ends(deciding: Context, world: World) -> None:
    world.now = replace(world.now, head_sha="d" * 40)
    said = refused(deciding, ask(deciding), BOB, given())
    assert said.fact == "The approval for prod is no longer valid: `ddddddd` was pushed since."
    assert kept(deciding).status == "dead"


def test_one_that_was_used_stays_used(deciding: Context) -> None:
    approval = ask(deciding)
    with deciding.store.begin() as tables:
        tables.approvals.end("a1", "used", "", NOW)
    assert refused(deciding, approval, BOB, given("reject")).fact == "The approval for prod was used."
    assert kept(deciding).status == "used"


def test_one_that_ends_while_github_is_asked(deciding: Context, world: World) -> None:
    approval = ask(deciding)

    def end() -> None:
        with deciding.store.begin() as tables:
            tables.approvals.end("a1", "dead", "it was planned again", NOW)

    world.meanwhile = end
    said = refused(deciding, approval, BOB, given())
    assert said.fact == "The approval for prod is no longer valid: it was planned again."


def test_one_that_expires_while_github_is_asked(deciding: Context, world: World, clock: Clock) -> None:
    approval = ask(deciding)
    world.meanwhile = lambda: clock.pass_by(hours=1)
    assert refused(deciding, approval, BOB, given()).code == "approval-over"
    assert kept(deciding).status == "expired", "the end is kept, although the decision is refused"


# code owners


def test_the_owners_of_now_must_approve(deciding: Context, world: World) -> None:
    world.policy = POLICY.replace("count = 1", "codeowners = true")
    world.owners = b"* @bob\n"
    state = decide(deciding, ask(deciding), Actor("carol"), given()).state
    assert kept(deciding).owners == OWNERS
    assert state.missing.owners == OWNERS
    assert kept(deciding).ready_at is None
    assert decide(deciding, APPROVAL, BOB, given(delivery="other")).state.missing.complete


def test_owners_that_the_policy_no_longer_asks_for_are_dropped(deciding: Context) -> None:
    assert decide(deciding, ask(deciding, owners=OWNERS), Actor("carol"), given()).state.missing.complete
    assert kept(deciding).owners == ()


# reviews


def review(author: str = "bob", number: int = 1, state: Any = "approved", **more: Any) -> Review:
    facts: dict[str, Any] = {"commit": HEAD, "submitted_at": NOW + timedelta(minutes=1)}
    return Review(number, author, False, state, **{"body": "", **facts, **more})


def test_a_review_completes_it(deciding: Context, world: World) -> None:
    ask(deciding)
    world.given = [review(body=" fine ")]
    assert [one.id for one in read_reviews(deciding, "acme/infra", 7)] == ["a1"]
    assert [(one.login, one.answer, one.via, one.reason) for one in decisions(deciding)] == [
        ("bob", "approve", "github", "fine")
    ]
    assert read_reviews(deciding, "acme/infra", 7) == [], "it was read before"
    assert len(decided(deciding)) == 1


def test_a_review_that_asks_for_changes_rejects_it(deciding: Context, world: World) -> None:
    ask(deciding)
    world.given = [review(state="changes_requested", body="no")]
    assert read_reviews(deciding, "acme/infra", 7) == []
    assert (kept(deciding).status, kept(deciding).why) == ("rejected", "@bob rejected it: no")


def test_a_review_while_the_plan_is_made_decides_nothing(deciding: Context, world: World) -> None:
    with deciding.store.begin() as tables:
        tables.approvals.add(replace(APPROVAL, status="planning", plan_digest=""))
    world.given = [review()]
    assert read_reviews(deciding, "acme/infra", 7) == []
    assert decisions(deciding) == []


def test_a_review_is_recorded_even_if_the_owners_are_unknown(deciding: Context, world: World) -> None:
    ask(deciding)
    world.policy = POLICY.replace("count = 1", "codeowners = true")
    world.given = [review()]
    read_reviews(deciding, "acme/infra", 7)
    assert [one.login for one in decisions(deciding)] == ["bob"]


def test_an_ended_one_reads_no_reviews(deciding: Context, world: World) -> None:
    ask(deciding, status="dead")
    world.given = [review()]
    assert read_reviews(deciding, "acme/infra", 7) == []
    assert decisions(deciding) == []
