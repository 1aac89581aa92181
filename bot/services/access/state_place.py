"""Tell people where a target's state is and which version is there, so that they can compare their own Terraform's."""

from __future__ import annotations

from bot.domain.gates import refuse_role
from bot.domain.refusal import Refusal, require
from bot.services.access.credentials import SignIn, person_of, target_of
from bot.services.context import Context
from bot.services.states import PlacedState, placed_state
from bot.services.targets import default_policy


def look_up_state(context: Context, token: str, request: SignIn) -> PlacedState:
    """Return it to the owner of a GitHub token with the `write` role. The token only identifies them, and is not stored.

    Nothing of the state's content is returned, so production needs no higher role. Local environments have a state, too.
    Raises Refusal, UserError, or ForgeError if GitHub does not answer.
    """
    repository = request.repository.lower()
    login = person_of(context, repository, token)
    require(refuse_role(context.forge.role(repository, login), "write", f"look up a state of {repository}"))
    target = target_of(context, repository, request)
    policy = default_policy(context, repository)
    if policy is None:
        raise Refusal(
            "no-policy", f"{repository} has no `envs/environments.toml`.", "Add one in a pull request."
        )
    return placed_state(context, target, policy)
