"""Where a state is and what is there now: as the policy says, else as the default branch declares."""

from __future__ import annotations

from pathlib import Path

import pytest

from bot.domain.policy import Policy
from bot.domain.ports.terraform import Backend
from bot.domain.refusal import Refusal
from bot.domain.states import StateInfo
from bot.domain.target import Target
from bot.services.access import SignIn, look_up_state
from bot.services.context import Context
from bot.services.states import placed_state
from tests.contract.state_store import state
from tests.unit.services.world import BASE, STACK, STAGING, World

POLICY = f"{STACK}[env.dev]\n[env.staging]\n[env.prod]\n"
DEV = Target("acme/infra", "infra", "dev")


class People(World):
    """Everybody's token is their login. `declared`: the backend that the module declares."""

    declared = ""

    def person(self, _repository: str, token: str) -> str:
        return token

    def backend_block(self, _root: Path) -> tuple[str, dict[str, str]]:
        return self.declared, {}

    def backend(self, target: Target, policy: Policy, declared: str, credential: tuple[str, str]) -> Backend:
        self.calls.append(f"declared {declared}")
        return super().backend(target, policy, declared, credential)


@pytest.fixture
def world(context: Context) -> People:
    return People(context, POLICY)


def test_the_version_that_is_there(world: People) -> None:
    found = placed_state(world.context, STAGING, world.policy)
    assert (found.place.kind, found.info) == ("http", None)
    with world.context.store.begin() as tables:
        tables.states.append(STAGING.key, state(4), StateInfo.parse(state(4)))
    found = placed_state(world.context, STAGING, world.policy)
    assert found.info is not None
    assert (found.info.serial, found.place.workspace) == (4, "default")


def test_what_the_module_declares_counts_where_the_policy_is_silent(world: People) -> None:
    """Also before anything was planned there, as in a local environment."""
    world.declared = "s3"
    placed_state(world.context, DEV, world.policy)
    world.policies[BASE] = f"{POLICY}[stack.infra.backend]\nkind = 'http'\n".encode()
    placed_state(world.context, DEV, world.policy)
    assert world.calls == ["declared s3", "declared http"]


def test_people_with_the_write_role_are_told(world: People) -> None:
    """Also of production, since nothing of the content is told, and of a local environment, which has a state, too."""
    for environment in ("dev", "staging", "prod"):
        found = look_up_state(world.context, "ann", SignIn("Acme/Infra", environment))
        assert found.target == Target("acme/infra", "infra", environment)
    world.roles["dave"] = "read"
    for who, request, code in (
        ("dave", SignIn("acme/infra", "staging"), "permission"),
        ("ann", SignIn("acme/infra", "stagin"), "unknown-environment"),
    ):
        with pytest.raises(Refusal) as refused:
            look_up_state(world.context, who, request)
        assert refused.value.code == code


def test_what_is_no_state_is_refused(world: People) -> None:
    world.kind = "s3"
    world.bucket.data = b"no state"
    with pytest.raises(Refusal, match="cannot be read"):
        placed_state(world.context, DEV, world.policy)
