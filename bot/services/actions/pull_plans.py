"""Request the plans of a pull request: those that the policy plans automatically, for the touched stacks."""

from __future__ import annotations

from bot.domain.actors import SYSTEM
from bot.domain.ports.forge import PullRequest
from bot.domain.refusal import Refusal, Refused
from bot.domain.run import Origin
from bot.services.actions.inputs import record_input_states
from bot.services.context import Context
from bot.services.plans import PlanRequest, request_plans
from bot.services.promotion import may_plan
from bot.services.targets import PullContext, automatic_environments, touched_stacks


def pull_requested(context: Context, repository: str, number: int, head: str) -> PullRequest | None:
    """Return the pull request, None if a newer commit than `head` was pushed since, which has a workflow run of its own.
    Raises Refusal for a fork: its workflows get no secrets, and nothing of it is read."""
    pull = context.refresh(repository, number)
    if pull.from_fork:
        raise Refusal(
            "untrusted-fork",
            f"#{number} is from a fork, and workflows for forks get no secrets.",
            "Push the branch to this repository after you have read it.",
        )
    return pull if pull.head_sha == head else None


def request_pull_plans(context: Context, pull_context: PullContext, seed: str) -> tuple[Refused, ...]:
    """Queue a plan for each target, stacks in their order. Returns why some of them may not be planned."""
    pull = pull_context.pull
    targets, refusals = [], []
    for stack in touched_stacks(context, pull_context):
        for environment in automatic_environments(pull_context.policy, stack):
            target = pull_context.policy.target(pull.repository, stack.name, environment.name, pull.number)
            refusal = may_plan(context, pull_context, target, SYSTEM)
            if refusal is None:
                targets.append(target)
            else:
                refusals.append(refusal)
    record_input_states(context, pull_context.policy, targets)
    origin = Origin(delivery=seed)
    request_plans(context, PlanRequest(pull_context, tuple(targets), SYSTEM, origin, seed, limited=False))
    return tuple(refusals)
