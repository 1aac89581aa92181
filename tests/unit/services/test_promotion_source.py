"""The stage that a target is promoted from, what an apply still waits for, and who may cause a plan."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import pytest

from bot.domain.actors import Actor, Role
from bot.domain.gates import Source
from bot.domain.policy import Policy
from bot.domain.policy.loader import parse_policy
from bot.domain.ports.forge import Review
from bot.domain.refusal import Refused
from bot.domain.release import Release
from bot.domain.run import Run
from bot.domain.states import StateInfo
from bot.domain.target import Target
from bot.services import authorship
from bot.services.context import Context
from bot.services.promotion import may_plan, plans_frozen, source_of, sources_of, waits
from bot.services.targets import PullContext
from tests.integration.storage import samples
from tests.unit.services.conftest import NOW, Clock

STACKS = '[stack.infra]\nroot = "infra"\n[stack.web]\nroot = "web"\n'
PLAIN = '[env.staging]\n[env.prod]\npromote_from = "staging"\nsoak = "10m"\n' + STACKS
HEAD, TIP = "c" * 40, "b" * 40
PROD, WEB = Target("acme/infra", "infra", "prod"), Target("acme/infra", "web", "prod")
STAGING = Target("acme/infra", "infra", "staging")
HOLIDAYS = '{ deny = "0 0 2 1 *", for = "24h", actions = ["%s"], reason = "the holidays" }'
EVERY_DAY = '{ deny = "0 0 * * *", for = "24h", actions = ["plan"], reason = "always" }'
READS = "A plan for `prod` can read its secrets, so"


def policy(prod: str = "", staging: str = "") -> Policy:
    """The rules, with more lines for production and staging."""
    text = PLAIN.replace("[env.staging]\n", f"[env.staging]\n{staging}\n")
    return parse_policy(text.replace('soak = "10m"\n', f'soak = "10m"\n{prod}\n'), "policy")


def freeze(window: str) -> Policy:
    return policy(f"freeze = [{window}]")


def deploy(context: Context, name: str = "e1", target: Target = STAGING, **more: Any) -> Release:
    """A release whose state is recorded with its serial."""
    made = replace(samples.release(name, target), created_at=NOW, **more)
    record_state(context, made.serial, target)
    with context.store.begin() as tables:
        tables.releases.add(made)
    return made


def record_state(context: Context, serial: int, target: Target = STAGING) -> None:
    data = f'{{"version": 4, "serial": {serial}, "lineage": "l"}}'.encode()
    with context.store.begin() as tables:
        tables.states.append(target.key, data, StateInfo.parse(data))


def begin_apply(context: Context, pull: int, target: Target = STAGING, run_id: str = "busy") -> None:
    with context.store.begin() as tables:
        tables.runs.add(Run(run_id, "apply", target, pull, HEAD, phase="applying", created_at=NOW))


def found(context: Context, target: Target = PROD, rules: Policy | None = None) -> Source | None:
    with context.store.read() as tables:
        return source_of(tables, rules or policy(), target, 7)


def waiting(context: Context, target: Target = PROD, rules: Policy | None = None) -> bool:
    with context.store.read() as tables:
        return waits(context, tables, rules or policy(), target, 7)


# the previous stage


def test_a_first_stage_has_none(context: Context) -> None:
    deploy(context)
    assert found(context, STAGING) is None


def test_a_stage_where_nothing_was_applied(context: Context) -> None:
    assert found(context) == Source(STAGING)


def test_the_newest_release_of_the_stage(context: Context, clock: Clock) -> None:
    deploy(context, "old", serial=3)
    with context.store.begin() as tables:
        tables.releases.deactivate(STAGING)
    clock.pass_by(minutes=1)
    record_state(context, 4)
    newest = replace(samples.release("new", STAGING), created_at=clock.at, serial=4)
    with context.store.begin() as tables:
        tables.releases.add(newest)
    assert found(context) == Source(STAGING, newest)


def test_who_is_applying_there(context: Context) -> None:
    release = deploy(context)
    begin_apply(context, 8)
    assert found(context) == Source(STAGING, release, applying_pull=8)


def test_an_apply_that_ended_or_is_elsewhere_does_not_count(context: Context) -> None:
    release = deploy(context)
    begin_apply(context, 8)
    begin_apply(context, 9, PROD, "elsewhere")
    with context.store.begin() as tables:
        tables.runs.move("busy", ("applying",), "finished", outcome="applied")
    assert found(context) == Source(STAGING, release)


def test_a_state_that_others_changed(context: Context) -> None:
    release = deploy(context, serial=4)
    record_state(context, 6)
    assert found(context) == Source(STAGING, release, state_change="its serial is now 6, was 4")


def test_a_state_that_others_deleted(context: Context) -> None:
    release = deploy(context)
    with context.store.begin() as tables:
        tables.states.end(STAGING.key)
    assert found(context) == Source(STAGING, release, state_change="it was deleted")


def test_a_state_that_an_apply_is_changing_now(context: Context) -> None:
    """Its serial is ahead of the release until the apply has ended."""
    release = deploy(context, serial=4)
    begin_apply(context, 8)
    record_state(context, 5)
    assert found(context) == Source(STAGING, release, applying_pull=8)


def test_a_stage_that_exists_once_per_pull_request(context: Context) -> None:
    rules = policy(staging='instance = "pr-{pr}"')
    mine, other = replace(STAGING, instance="pr-7"), replace(STAGING, instance="pr-8")
    deploy(context, "theirs", other)
    assert found(context, rules=rules) == Source(mine)
    release = deploy(context, "mine", mine)
    assert found(context, rules=rules) == Source(mine, release)


def test_several_targets_are_told_apart(context: Context) -> None:
    web = replace(STAGING, stack="web")
    release, of_web = deploy(context), deploy(context, "w1", web)
    begin_apply(context, 8, web)
    with context.store.read() as tables:
        sources = sources_of(tables, policy(), [PROD, WEB, STAGING], 7)
        assert sources_of(tables, policy(), [STAGING, web], 7) == {}
    assert sources == {PROD: Source(STAGING, release), WEB: Source(web, of_web, applying_pull=8)}


# waiting


def test_until_the_soak_is_over(context: Context, clock: Clock) -> None:
    deploy(context)
    clock.pass_by(minutes=9, seconds=59)
    assert waiting(context)
    clock.pass_by(seconds=1)
    assert not waiting(context)


def test_the_soak_begins_with_the_last_check(context: Context, clock: Clock) -> None:
    deploy(context, verification="running")
    clock.pass_by(hours=1)
    assert waiting(context), "its checks are still running"
    with context.store.begin() as tables:
        tables.releases.update("e1", verification="passed", verified_at=clock.at)
    assert waiting(context)
    clock.pass_by(minutes=10)
    assert not waiting(context)


def test_while_the_stage_is_being_applied_to(context: Context, clock: Clock) -> None:
    deploy(context)
    clock.pass_by(hours=1)
    begin_apply(context, 8)
    assert waiting(context)


def test_time_alone_brings_no_release(context: Context) -> None:
    assert not waiting(context), "a release is missing, for which the gates refuse"
    assert not waiting(context, STAGING), "it is promoted from nowhere"


def test_a_freeze_of_applies_is_waited_for(context: Context, clock: Clock) -> None:
    deploy(context)
    clock.pass_by(hours=1)
    assert waiting(context, rules=freeze(HOLIDAYS % "apply"))
    assert not waiting(context, rules=freeze(HOLIDAYS % "plan"))
    clock.pass_by(days=1)
    assert not waiting(context, rules=freeze(HOLIDAYS % "apply"))


# freezes of plans


def test_a_freeze_of_plans_names_the_command_to_run_after_it(context: Context, clock: Clock) -> None:
    rules = freeze(HOLIDAYS % "plan")
    refusal = plans_frozen(context, rules, WEB, "revert")
    assert refusal == Refused(
        "frozen",
        "Plans for prod/web are frozen until 2030-01-03 00:00 UTC (the holidays).",
        "Run `/revert prod web` then.",
    )
    assert plans_frozen(context, rules, STAGING, "plan") is None
    assert plans_frozen(context, freeze(HOLIDAYS % "apply"), PROD, "plan") is None
    clock.pass_by(days=1)
    assert plans_frozen(context, rules, PROD, "plan") is None


def test_a_freeze_without_an_end_names_the_file_to_change(context: Context) -> None:
    assert plans_frozen(context, freeze(EVERY_DAY), PROD, "plan") == Refused(
        "frozen",
        "Plans for prod are frozen with no scheduled end (always).",
        "To end it, change `freeze` in `envs/environments.toml`.",
    )


# who may cause a plan


class People:
    """GitHub and git: roles, reviews, and two authors. Whose role was asked is written down."""

    def __init__(self, *reviews: Review) -> None:
        self._reviews = reviews
        self.roles: dict[str, Role] = {"ann": "write", "bob": "write", "mia": "maintain", "rae": "read"}
        self.asked: list[str] = []

    def role(self, _repository: str, login: str) -> Role:
        self.asked.append(login)
        return self.roles[login.lower()]

    def reviews(self, _repository: str, _number: int) -> Sequence[Review]:
        return self._reviews

    def commits(self, *_facts: object) -> list[str]:
        return ["c1", "c2"]

    def authors(self, *_facts: object) -> frozenset[str]:
        return frozenset({"cleo"})


def review(author: str, state: Any = "approved", number: int = 1, **more: Any) -> Review:
    facts: dict[str, Any] = {"commit": HEAD, "bot": False, "body": "", "submitted_at": NOW}
    return Review(number, author, state=state, **facts | more)


def asked_by(context: Context, people: People, actor: Actor, rules: Policy) -> Refused | None:
    ports: Any = people
    pull = PullContext(samples.pull(author="ann", head_sha=HEAD), rules, TIP)
    return may_plan(replace(context, forge=ports, git=ports), pull, PROD, actor)


MAINTAIN, APPROVAL = 'plan_needs = "maintain"', 'plan_needs = "approval"'


def test_by_default_whoever_asks_may_and_nobody_is_looked_up(context: Context) -> None:
    people = People()
    assert asked_by(context, people, Actor("rae"), policy()) is None
    assert people.asked == []


def test_maintainers_may(context: Context) -> None:
    assert asked_by(context, People(), Actor("mia"), policy(MAINTAIN)) is None


@pytest.mark.parametrize(("actor", "named"), [(Actor("bob"), "bob"), (Actor(via="system"), "ann")])
def test_others_may_not_and_for_an_event_its_author_counts(
    context: Context, actor: Actor, named: str
) -> None:
    assert asked_by(context, People(), actor, policy(MAINTAIN)) == Refused(
        "permission",
        f"{READS} it needs the `maintain` role, which @{named} does not have.",
        "Ask a maintainer to comment `/plan prod`.",
    )


def test_a_freeze_stops_maintainers_too(context: Context) -> None:
    people = People()
    rules = policy(f"{MAINTAIN}\nfreeze = [{HOLIDAYS % 'plan'}]")
    refusal = asked_by(context, people, Actor("mia"), rules)
    assert refusal is not None
    assert (refusal.code, refusal.next_step) == ("frozen", "Run `/plan prod` then.")
    assert people.asked == []


@pytest.mark.parametrize(
    "reviews",
    [
        [review("bob")],
        [review("bob", "changes_requested"), review("bob", number=2)],
        [review("bob"), review("bob", "commented", 2)],
        [review("rae"), review("mia", number=2)],
    ],
    ids=["approved", "approved in the end", "commented after it", "one of two counts"],
)
def test_an_approved_latest_commit_is_planned(context: Context, reviews: list[Review]) -> None:
    assert asked_by(context, People(*reviews), Actor("ann"), policy(APPROVAL)) is None


@pytest.mark.parametrize(
    "reviews",
    [
        [],
        [review("bob", commit="d" * 40)],
        [review("Ann")],
        [review("Cleo")],
        [review("rae")],
        [review("bob", bot=True)],
        [review("bob", "commented")],
        [review("bob"), review("Bob", "changes_requested", 2)],
        [review("bob"), review("bob", "dismissed", 2)],
    ],
    ids=["none", "older commit", "opener", "author", "no write", "a bot", "comment", "rejected", "dismissed"],
)
def test_without_somebody_elses_approval_it_is_not(context: Context, reviews: list[Review]) -> None:
    people = People(*reviews)
    people.roles["cleo"] = "admin"
    assert asked_by(context, people, Actor("ann"), policy(APPROVAL)) == Refused(
        "unreviewed",
        f"{READS} somebody with `write` other than the authors of #7 must approve `ccccccc` first.",
        "Ask for a review on GitHub, then run `/plan prod`.",
    )


def test_authors_that_cannot_be_known_are_told_as_they_are(
    context: Context, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(authorship, "MOST", 1)
    refusal = asked_by(context, People(review("bob")), Actor("ann"), policy(APPROVAL))
    assert refusal is not None
    assert refusal.code == "unreviewed"
    assert refusal.fact.startswith("#7 has more than 1 commits")
    assert refusal.next_step == "Squash them, or rebase the branch onto `main`."
