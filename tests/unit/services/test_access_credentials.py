"""A person gets a credential for one state, by what GitHub says of them now; and only theirs is given back."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from bot.domain.actors import Role
from bot.domain.ports.forge import ForgeError
from bot.domain.ports.state import PERSON, Grant
from bot.domain.refusal import Refused
from bot.services.access.credentials import LIFE, SignIn, StateCredential, sign_in, sign_out
from bot.services.context import Context
from tests.fixtures.refusals import refusal_of
from tests.unit.services.conftest import NOW
from tests.unit.services.world import PLAIN, PROD, STACK, STAGING, World

POLICY = f"""{PLAIN}
[env.dev]
local = true
[env.test]
instance = "pr-{{pr}}"
[env.prod]
production = true
"""
TOKEN = "gh" + "o_ann"


class Signing(World):
    """GitHub knows ann's token. down: its answer to any other question who somebody is."""

    status = 401

    def person(self, _repository: str, token: str) -> str:
        if token != TOKEN:
            raise ForgeError("who?", status=self.status)
        return "ann"


@pytest.fixture
def world(context: Context) -> Signing:
    return Signing(context, POLICY)


def enter(world: World, environment: str = "staging", token: str = TOKEN, **more: Any) -> StateCredential:
    return sign_in(world.context, token, SignIn("Acme/Infra", environment, **more))


def refused(world: World, environment: str = "staging", token: str = TOKEN, **more: Any) -> Refused:
    """Why not; no credential was issued."""
    refusal = refusal_of(enter, world, environment, token, **more)
    assert world.audit == []
    return refusal


def grant_of(world: World, given: StateCredential) -> Grant | None:
    with world.context.store.read() as tables:
        return tables.credentials.resolve(given.username, given.password)


# who gets one


def test_it_opens_one_state_for_a_working_day_and_is_on_the_record(world: Signing) -> None:
    given = enter(world)
    assert (given.target, given.login, given.note) == (STAGING, "ann", "")
    assert given.username.startswith("ann-")
    assert given.config == dict(world.backend_of().config)
    grant = grant_of(world, given)
    assert grant == Grant(STAGING.key, "", write=True, expires_at=NOW + LIFE, actor="ann")
    assert timedelta(hours=8) == LIFE
    (entry,) = world.audit
    assert (entry.action, entry.login, entry.via, entry.target) == (
        "state.login",
        "ann",
        "terraform",
        STAGING.key,
    )
    assert given.password not in str(entry)


def test_each_sign_in_has_a_credential_of_its_own(world: Signing) -> None:
    first, second = enter(world), enter(world)
    assert first.username != second.username
    assert grant_of(world, first) is not None


@pytest.mark.parametrize("status", [401, 403, 404])
def test_a_token_of_nobody_is_refused(world: Signing, status: int) -> None:
    world.status = status
    refusal = refused(world, token="other")
    assert (refusal.code, "acme/infra" in refusal.fact) == ("stranger", True)
    assert "`gh auth token`" in refusal.next_step


def test_a_silent_github_is_not_an_answer(world: Signing) -> None:
    world.status = 502
    with pytest.raises(ForgeError):
        enter(world, token="other")


@pytest.mark.parametrize(
    ("environment", "role", "needed"),
    [
        ("staging", "triage", "write"),
        ("staging", "write", ""),
        ("prod", "write", "maintain"),
        ("prod", "maintain", ""),
    ],
)
def test_the_state_needs_write_and_productions_maintain(
    world: Signing, environment: str, role: Role, needed: str
) -> None:
    world.roles["ann"] = role
    if not needed:
        assert grant_of(world, enter(world, environment)) is not None
        return
    refusal = refused(world, environment)
    assert refusal.code == "permission"
    assert f"you need the `{needed}` role on the repository; you have the `{role}` role." in refusal.fact


def test_where_the_policy_allows_no_laptop_it_says_so_at_once(world: Signing) -> None:
    world.roles["ann"] = "admin"
    note = enter(world, "prod").note
    assert (
        note == f"You can only plan: {PROD} cannot be changed from a laptop: its policy enforces approvals."
    )


# which state


def test_a_bucket_has_credentials_of_its_own(world: Signing) -> None:
    world.kind = "s3"
    refusal = refused(world)
    assert (refusal.code, refusal.next_step) == ("elsewhere", "Use the bucket's credentials.")


@pytest.mark.parametrize(
    ("environment", "more", "code", "step"),
    [
        ("stagin", {}, "unknown-environment", "Did you mean `staging`?"),
        ("staging", {"stack": "web"}, "unknown-stack", "There is `infra`."),
        ("test", {}, "which-pull", "Add `--pull <number>`."),
    ],
)
def test_an_unclear_target(world: Signing, environment: str, more: Any, code: str, step: str) -> None:
    refusal = refused(world, environment, **more)
    assert (refusal.code, step in refusal.next_step) == (code, True)


def test_a_local_environment_may_have_its_state_here(world: Signing) -> None:
    """The bot never runs it, but `towpath dev --shared` does."""
    assert enter(world, "dev").target == world.policy.target("acme/infra", "infra", "dev", 0)


def test_an_instance_is_named_by_its_pull_request(world: Signing) -> None:
    assert enter(world, "test", pull=7).target == world.policy.target("acme/infra", "infra", "test", 7)


def test_one_of_several_stacks_is_named(context: Context) -> None:
    world = Signing(context, f'{POLICY}[stack.web]\nroot = "web"\n')
    refusal = refused(world)
    assert (refusal.code, refusal.next_step) == ("which-stack", "Add `--stack <stack>`.")
    assert enter(world, stack="web").target.stack == "web"


@pytest.mark.parametrize(("policy", "code"), [(None, "no-policy"), (STACK.encode(), "policy")])
def test_without_a_policy_there_is_no_target(world: Signing, policy: bytes | None, code: str) -> None:
    world.policies[world.tip] = policy
    refusal = refused(world)
    assert (refusal.code, bool(refusal.next_step)) == (code, True)


# signing out


def test_a_credential_is_given_back_with_itself_and_once(world: Signing) -> None:
    given = enter(world)
    assert not sign_out(world.context, given.username, "wrong")
    assert grant_of(world, given) is not None
    assert sign_out(world.context, given.username, given.password)
    assert grant_of(world, given) is None
    assert not sign_out(world.context, given.username, given.password)
    assert [(one.action, one.login) for one in world.audit[1:]] == [("state.logout", "ann")]


def test_a_runs_credential_is_not_a_persons_to_give_back(world: Signing) -> None:
    grant = Grant(STAGING.key, "r1", write=True, expires_at=NOW + LIFE)
    with world.context.store.begin() as tables:
        tables.credentials.issue("r1", "secret", grant)
    assert not sign_out(world.context, "r1", "secret")
    with world.context.store.read() as tables:
        assert tables.credentials.resolve("r1", "secret") == grant
    assert (grant.person, PERSON in grant.holder) == (False, False)
