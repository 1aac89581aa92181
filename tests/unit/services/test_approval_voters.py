"""Who may approve is asked of GitHub each time, and a review counts only for the plan that its author could read."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import pytest

from bot.domain.actors import Role
from bot.domain.approvals import Approval, Decision, Voter
from bot.domain.policy.loader import parse_policy
from bot.domain.ports.forge import Review
from bot.domain.run import Origin
from bot.domain.target import Target
from bot.errors import TransientError, UserError
from bot.services.approvals import approval_state
from bot.services.approvals.voters import (
    check_completable,
    check_teams_exist,
    code_owners,
    decisions_reread,
    new_reviews,
    people_to_ask,
    voter_of,
    without_pushers,
)
from bot.services.context import Context
from bot.services.targets import PullContext
from bot.storage.tables import plans
from tests.integration.storage import samples
from tests.unit.services.conftest import NOW

PROD = Target("acme/infra", "infra", "prod")
HEAD, TIP, DEFAULT_TIP = "a" * 40, "b" * 40, "d" * 40
PLANNED = NOW.replace(microsecond=500_000)
APPROVAL = Approval(
    id="a1", target=PROD, pull=7, run_id="r1", plan_digest="d" * 64, commit=HEAD, actor=samples.ANN,
    origin=Origin("d1"), created_at=NOW, expires_at=NOW + timedelta(hours=1),
)  # fmt: skip
OWNERS: Any = ({"paths": ["infra/a.tf"], "any_of": ["@Erin", "@acme/Web"]},)


class World:
    """GitHub and git, as far as people and CODEOWNERS go."""

    def __init__(self, *reviews: Review) -> None:
        self.given = list(reviews)
        self.roles: dict[str, Role] = {}
        self.files: dict[str, bytes] = {}
        self.errors: list[str] = []
        self.asked: list[str] = []
        self.commits: set[str] = set()

    def role(self, _repository: str, login: str) -> Role:
        self.asked.append(login)
        return self.roles.get(login, "write")

    def members(self, team: str) -> frozenset[str] | None:
        teams = {"acme/web": frozenset({"bob"}), "acme/ops": frozenset({"carol", "ann"})}
        return teams.get(team.lower())

    def reviews(self, _repository: str, _number: int) -> list[Review]:
        return self.given

    def repository(self, name: str) -> Any:
        return samples.repository(name)

    def head_of(self, _repository: str, branch: str) -> str:
        assert branch == "main"
        return DEFAULT_TIP

    def git_credentials(self, _repository: str) -> None:
        return None

    def fetch(self, *_facts: object, **_named: object) -> None:
        """Everything is there."""

    def read(self, _repository: str, commit: str, path: str) -> bytes | None:
        self.commits.add(commit)
        return self.files.get(path)

    def changed(self, *_facts: object) -> list[str]:
        return ["infra/a.tf", "docs/a.md"]

    def codeowners_errors(self, *_facts: object) -> list[str]:
        return self.errors


def known(context: Context, world: World) -> Context:
    ports: Any = world
    return replace(context, forge=ports, git=ports)


def review(number: int = 1, author: str = "bob", state: Any = "approved", **more: Any) -> Review:
    facts: dict[str, Any] = {"bot": False, "commit": HEAD, "submitted_at": NOW + timedelta(minutes=1)}
    return Review(number, author, state=state, **{"body": "", **facts, **more})


def decision(login: str = "bob", number: int = 1, answer: Any = "approve", **more: Any) -> Decision:
    facts: dict[str, Any] = {"reason": "", "via": "github", "at": NOW, "role": "write"}
    return Decision(f"review:{number}:a1", "a1", login, answer, **facts | more)


def keep(context: Context, *decisions: Decision) -> None:
    """The approval, its plan, and decisions on it."""
    with context.store.begin() as tables:
        tables.approvals.add(APPROVAL)
        tables.plans.add(samples.plan("r1", target=PROD, commit=HEAD, published_at=PLANNED), samples.FILE)
        for one in decisions:
            tables.approvals.decide(one)


# permissions


def test_the_role_and_only_the_teams_that_matter(context: Context) -> None:
    world = World()
    world.roles["Bob"] = "maintain"
    approval = replace(APPROVAL, owners=OWNERS, teams=("acme/ops", "acme/gone"))
    assert voter_of(known(context, world), approval, "Bob") == Voter(
        "Bob", "maintain", frozenset({"@acme/web"})
    )
    assert voter_of(known(context, world), APPROVAL, "bob").owner_names == frozenset()


def test_the_state_is_read_from_rows_alone(context: Context) -> None:
    keep(context, decision("bob"), decision("carol", 2, role="read"))
    with context.store.read() as tables:
        state = approval_state(tables, replace(APPROVAL, count=2))
    assert [one.login for one in state.approved] == ["bob"]
    assert [one.login for one in state.void] == ["carol"]
    assert state.missing.count == 1


def test_who_pushed_does_not_count_whenever_that_became_known(context: Context) -> None:
    """Where people may approve their own change, and for a revert, it does not matter."""
    keep(context, decision("Bob"), decision("carol", 2))
    with context.store.begin() as tables:
        tables.pushers.add("acme/infra", 7, ["BOB"])
        tables.pushers.add("acme/infra", 8, ["carol"])
    own, others = replace(APPROVAL, count=2), replace(APPROVAL, count=2, excluded=("ann",))
    counted = {}
    with context.store.read() as tables:
        for name, one in (("others", others), ("own", own), ("revert", replace(others, reverts="rel1"))):
            counted[name] = [given.login for given in approval_state(tables, one).approved]
        assert without_pushers(tables, others).excluded == ("ann", "bob")
    assert counted == {"others": ["carol"], "own": ["Bob", "carol"], "revert": ["Bob", "carol"]}


def test_only_changed_permissions_are_returned(context: Context) -> None:
    keep(context, decision("bob"), decision("carol", 2), decision("dave", 3))
    world = World()
    world.roles.update(carol="read", dave="none")
    again = decisions_reread(known(context, world), APPROVAL, {"dave"})
    assert again == [decision("carol", 2, role="read")]
    assert sorted(world.asked) == ["bob", "carol"]


def test_what_was_withdrawn_is_not_looked_up(context: Context) -> None:
    keep(context, decision("bob", answer="withdraw"))
    world = World()
    assert decisions_reread(known(context, world), APPROVAL) == []
    assert world.asked == []


# reviews


def test_a_review_becomes_a_decision(context: Context) -> None:
    keep(context)
    found = new_reviews(known(context, World(review(5, body=f"  {'x' * 600}"))), APPROVAL)
    assert found.decisions == (decision("bob", 5, at=NOW + timedelta(minutes=1), reason="x" * 500),)
    assert found.early == ()


@pytest.mark.parametrize(
    "ignored",
    [
        review(bot=True),
        review(state="commented"),
        review(state="pending", submitted_at=None),
        review(commit="c" * 40),
    ],
    ids=["bot", "comment", "pending", "other commit"],
)
def test_what_is_no_answer_to_this_plan(context: Context, ignored: Review) -> None:
    keep(context)
    found = new_reviews(known(context, World(ignored)), APPROVAL)
    assert (found.decisions, found.early) == ((), ())


@pytest.mark.parametrize(
    ("state", "at", "counts", "early"),
    [
        ("approved", PLANNED - timedelta(seconds=2), False, True),
        ("approved", PLANNED.replace(microsecond=0), False, True),
        ("approved", PLANNED.replace(microsecond=0) + timedelta(seconds=1), True, False),
        ("changes_requested", PLANNED - timedelta(seconds=2), False, False),
        ("changes_requested", PLANNED.replace(microsecond=0), True, False),
    ],
    ids=["before", "same second", "after", "rejected before", "rejected in the same second"],
)
def test_only_what_was_given_after_the_plan(
    context: Context, state: str, at: datetime, counts: bool, early: bool
) -> None:
    keep(context)
    found = new_reviews(known(context, World(review(state=state, submitted_at=at))), APPROVAL)
    assert (bool(found.decisions), bool(found.early)) == (counts, early)


def test_without_a_plan_every_approval_is_early(context: Context) -> None:
    found = new_reviews(known(context, World(review(), review(2, state="changes_requested"))), APPROVAL)
    assert found.decisions == ()
    assert [one.id for one in found.early] == [1]


def test_who_has_decided_since_was_not_too_early(context: Context) -> None:
    keep(context)
    before = review(1, "Bob", submitted_at=NOW - timedelta(minutes=1))
    found = new_reviews(known(context, World(before, review(2))), APPROVAL)
    assert [one.id for one in found.decisions] == ["review:2:a1"]
    assert found.early == ()


def test_what_is_recorded_is_not_new_until_it_changes(context: Context) -> None:
    keep(context, decision("bob", 1))
    world = World(review(1))
    assert new_reviews(known(context, world), APPROVAL).decisions == ()
    world.given = [review(1, state="dismissed")]
    assert [one.answer for one in new_reviews(known(context, world), APPROVAL).decisions] == ["withdraw"]


def test_a_new_request_after_a_rejection_needs_new_reviews(context: Context) -> None:
    """By the time of the rejection, whenever that was processed."""
    ended = NOW + timedelta(minutes=10)
    keep(context, decision("carol", 9, "reject", at=ended))
    with context.store.begin() as tables:
        tables.approvals.end("a1", "rejected", "", ended + timedelta(hours=1))
    second, later = replace(APPROVAL, id="a2"), ended + timedelta(seconds=1)
    world = World(review(1, submitted_at=ended), review(2, submitted_at=later))
    assert [one.id for one in new_reviews(known(context, world), second).decisions] == ["review:2:a2"]


def test_a_plan_that_is_just_being_shown_is_waited_for(context: Context) -> None:
    """The review may be of what GitHub shows already. What failed to be shown is not waited for."""
    keep(context)
    with context.store.begin() as tables:
        tables.connection.execute(plans.update().values(published_at=None))
        tables.surfaces.save(samples.surface(f"status:{PROD.repository}#7", due_at=NOW))
    world = known(context, World(review()))
    with pytest.raises(TransientError, match="just being shown"):
        new_reviews(world, APPROVAL)
    with context.store.begin() as tables:
        tables.surfaces.save(samples.surface(f"status:{PROD.repository}#7", due_at=NOW, error="502"))
    assert [one.id for one in new_reviews(world, APPROVAL).early] == [1]


# code owners


def owners(context: Context, world: World, rules: str = "codeowners = true", base: str = "main") -> Any:
    policy = parse_policy(f'[env.prod]\napprovals = {{ {rules} }}\n[stack.infra]\nroot = "infra"\n', "policy")
    pull = PullContext(samples.pull(head_sha=HEAD, base_ref=base), policy, TIP)
    return code_owners(known(context, world), pull, policy.environments["prod"])


def test_the_first_place_counts(context: Context) -> None:
    world = World()
    world.files = {"CODEOWNERS": b"* @later\n", ".github/CODEOWNERS": b"/infra/ @erin\n"}
    assert owners(context, world) == ({"paths": ["infra/a.tf"], "any_of": ["@erin"]},)


def test_whatever_the_base_branch_the_default_branch_says_who_owns(context: Context) -> None:
    """Whoever can write to another base branch must not choose who approves."""
    for base, tip in (("main", TIP), ("release/1", DEFAULT_TIP)):
        world = World()
        world.files = {"CODEOWNERS": b"* @erin\n"}
        assert owners(context, world, base=base)
        assert world.commits == {tip}


def test_where_the_policy_does_not_ask_there_are_none(context: Context) -> None:
    assert owners(context, World(), "count = 1") == ()


def test_a_missing_file_refuses(context: Context) -> None:
    with pytest.raises(UserError) as refused:
        owners(context, World())
    assert refused.value.what == "`main` has no CODEOWNERS file, so the required approvers are unknown."
    assert refused.value.next_step == (
        "Add `.github/CODEOWNERS`, or set `codeowners = false` in `envs/environments.toml`."
    )


@pytest.mark.parametrize(
    ("errors", "said"), [(["Unknown owner"], "1 error in"), (["Unknown owner", "b"], "2 errors in")]
)
def test_a_file_that_github_cannot_read_refuses(context: Context, errors: list[str], said: str) -> None:
    world = World()
    world.files, world.errors = {"CODEOWNERS": b"* @erin\n"}, errors
    with pytest.raises(UserError) as refused:
        owners(context, world)
    assert refused.value.what == (
        f"GitHub finds {said} `CODEOWNERS`, so the required approvers are unknown: Unknown owner"
    )
    assert refused.value.next_step == "Fix it on `main`."


# whom it can be completed by


def rules_of(text: str) -> Any:
    policy = parse_policy(f'[env.prod]\napprovals = {{ {text} }}\n[stack.infra]\nroot = "infra"\n', "policy")
    return policy.environments["prod"].approvals


def complete(context: Context, rules: str, own: Collection[str], owners: Any = ()) -> None:
    given = known(context, World())
    check_completable(given, rules_of(rules), owners, own, samples.pull(), PROD)


def test_a_team_that_is_not_visible_refuses(context: Context) -> None:
    given = known(context, World())
    check_teams_exist(given, rules_of('teams = ["acme/web"]'), "prod")
    with pytest.raises(UserError) as refused:
        check_teams_exist(given, rules_of('teams = ["acme/web", "acme/gone"]'), "prod")
    assert refused.value.what.startswith("Team `acme/gone`, whose approval `prod` needs, is not visible")
    assert refused.value.next_step == "Fix `approvals` of `prod` in `envs/environments.toml`."


def test_those_who_are_asked_are_named_people_team_members_and_owners(context: Context) -> None:
    approval = replace(APPROVAL, owners=OWNERS, teams=("acme/ops",), users=("Zoe",), excluded=("ann",))
    assert people_to_ask(known(context, World()), approval) == ("bob", "carol", "erin", "zoe")
    assert people_to_ask(known(context, World()), APPROVAL) == ()


def test_enough_others_can_approve(context: Context) -> None:
    complete(context, 'teams = ["acme/ops"], count = 1', {"ann"}, OWNERS)
    complete(context, "count = 2", {"ann"})


def test_too_few_of_those_named_can(context: Context) -> None:
    with pytest.raises(UserError) as refused:
        complete(context, 'count = 2, teams = ["acme/ops"], users = ["ann"]', {"ann"})
    assert refused.value.what == (
        "`prod` needs 2 approvals by @acme/ops or @ann, and only @carol can: whoever requested the apply, opened #7, or "
        "wrote or pushed one of its commits may not approve."
    )
    assert refused.value.next_step.startswith(
        "Ask somebody else to comment `/apply prod`, or name more people"
    )


def test_the_only_owner_is_an_author(context: Context) -> None:
    sole: Any = ({"paths": ["infra/a.tf"], "any_of": ["@Erin"]},)
    with pytest.raises(UserError) as refused:
        complete(context, "count = 1", {"erin"}, sole)
    assert refused.value.what == (
        "Only @Erin may approve as code owner of `infra/a.tf`, and cannot: whoever requested the apply, opened #7, or "
        "wrote or pushed one of its commits may not approve."
    )
    assert refused.value.next_step == (
        "Ask somebody else to comment `/apply prod`, or name another owner in CODEOWNERS on `main`."
    )
