"""Compare the environments of a repository that must be alike."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from bot.domain.parity import Comparison, Parity, compare_profiles, unused_declarations
from bot.domain.policy import ParityGroup, Policy, Stack
from bot.domain.refusal import Refusal
from bot.domain.sanitize import outside
from bot.domain.suggest import did_you_mean
from bot.services.context import Context
from bot.services.parity.deployed import with_deployed
from bot.services.parity.files import Snapshot, file_profiles
from bot.services.targets import PullContext, default_policy, default_tip, tip_of


@dataclass(frozen=True)
class Filter:
    """What to compare. environment, stack: "" for all; an environment means the groups that it is in."""

    environment: str = ""
    stack: str = ""


def compare_environments(context: Context, repository: str, chosen: Filter) -> Parity:
    """Compare environments by the files of the default branch and by what is deployed. Raises Refusal."""
    policy = default_policy(context, repository)
    if policy is None:
        raise Refusal(
            "no-policy",
            f"The default branch of {repository} has no `envs/environments.toml`.",
            "Add one in a pull request; the README has a complete example.",
        )
    tip = tip_of(context, repository, context.known(repository).default_branch, 60.0)
    return _compare(context, Snapshot(repository, tip, policy), chosen)


def pull_parity(context: Context, pull_context: PullContext, chosen: Filter) -> Parity:
    """Compare environments by the files of a pull request, under the policy in force. Raises Refusal."""
    pull = pull_context.pull
    _branch, tip = default_tip(context, pull_context)
    at = Snapshot(pull.repository, pull.head_sha, pull_context.policy, tip)
    return _compare(context, at, chosen, pull.number)


def groups_of(policy: Policy, stack: Stack, environment: str = "") -> Iterator[tuple[ParityGroup, list[str]]]:
    """Yield the groups of a stack, each with those of its environments that the stack is deployed to: two or more."""
    for group in policy.parity_groups:
        names = [
            name
            for name in group.environments
            if name in policy.environments and (not stack.environments or name in stack.environments)
        ]
        if len(names) > 1 and (not environment or environment in names):
            yield group, names


def _compare(context: Context, at: Snapshot, chosen: Filter, pull: int = 0) -> Parity:
    policy = at.policy
    _refuse_unknown(policy, chosen)
    stacks = [policy.stacks[chosen.stack]] if chosen.stack else list(policy.stacks.values())
    comparisons: list[Comparison] = []
    unknown: set[str] = set()
    for stack in stacks:
        for group, names in groups_of(policy, stack, chosen.environment):
            profiles = [
                with_deployed(context, at.repository, policy, stack.name, profile)
                for profile in file_profiles(context, at, stack.name, names)
            ]
            unknown |= {what for profile in profiles for what in profile.unknown}
            comparisons.append(compare_profiles(stack.name, group, profiles))
    if not comparisons:
        raise _nothing(policy, chosen)
    # of some stacks or environments alone it is not known whether a declaration is needed elsewhere
    everything = chosen == Filter()
    unused = unused_declarations(policy.parity or (), comparisons, unknown) if everything else ()
    declares = frozenset(group.environments for group in policy.parity or ())
    return Parity(at.repository, at.commit, tuple(comparisons), unused, pull, declares)


def _refuse_unknown(policy: Policy, chosen: Filter) -> None:
    """Raise Refusal for words that name no environment or stack. Local environments are compared, too."""
    for word, kind, names in (
        (chosen.environment, "environment", list(policy.environments)),
        (chosen.stack, "stack", list(policy.stacks)),
    ):
        if word and word not in names:
            guess = did_you_mean(word, names)
            known = f"There {'is' if len(names) == 1 else 'are'} {', '.join(f'`{name}`' for name in names)}."
            step = f"Did you mean `{guess}`? {known}" if guess else known
            raise Refusal(f"unknown-{kind}", f"There is no {kind} `{outside(word)}`.", step)


def _nothing(policy: Policy, chosen: Filter) -> Refusal:
    groups = "; ".join(" ≈ ".join(group.environments) for group in policy.parity_groups)
    where = f" with `{chosen.environment}`" if chosen.environment else ""
    return Refusal(
        "no-parity",
        f"No environments{where} have to be alike{f'; the groups are {groups}' if groups else ''}.",
        'Name them in `envs/environments.toml`: `[[parity]]` with `environments = ["…", "…"]`.',
    )
