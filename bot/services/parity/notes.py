"""Notes on a pull request that makes environments differ which should be alike, so that people know before they merge it."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import accumulate

from bot.domain.parity import Difference, Side, compare_profiles, joined
from bot.domain.policy import PATH, Policy
from bot.domain.sanitize import outside
from bot.errors import UserError
from bot.services.context import Context
from bot.services.parity.compare import groups_of
from bot.services.parity.files import Snapshot, file_profiles
from bot.services.targets import PullContext, policy_at

MOST = 5
"""Differences of one group that are described; the others are counted."""
MOST_COMPARED = 400
"""Environments in all groups and stacks. A pull request may bring a policy with millions."""
LONGEST = 60
"""Characters of a value that are shown."""


@dataclass(frozen=True, order=True)
class _Key:
    """What makes two differences the same one, whatever the values are."""

    stack: str
    environments: tuple[str, ...]
    what: str


def parity_notes(context: Context, pull_context: PullContext) -> tuple[str, ...]:
    """Return a sentence for each group and stack that the pull request gives a difference which neither its base nor the
    policy has. Only files count: what is deployed does not change by a pull request alone.

    Call it outside of transactions: it asks git, once for a pair of commits.
    """
    pull = pull_context.pull
    if pull.state != "open":
        return ()
    changed = set(context.git.changed(pull.repository, pull_context.base_tip, pull.head_sha))
    in_force = pull_context.policy
    after = _policy(context, pull_context, pull.head_sha) if PATH in changed else in_force
    if not changed & {PATH, *_var_files(in_force), *_var_files(after)}:
        return ()
    key = (pull.repository, pull_context.base_tip, pull.head_sha, in_force.source)
    return context.caches.parity.get(key, lambda: tuple(_notes(context, pull_context, after)))


def _var_files(policy: Policy) -> Iterator[str]:
    for stack in policy.stacks.values():
        for _group, names in groups_of(policy, stack):
            for name in names:
                yield from policy.var_files(stack.name, name)


def _policy(context: Context, pull_context: PullContext, commit: str) -> Policy:
    """Return the policy at a commit, else the one in force: the note on the policy reports an invalid one."""
    try:
        return policy_at(context, pull_context.pull.repository, commit) or pull_context.policy
    except UserError:
        return pull_context.policy


def _notes(context: Context, pull_context: PullContext, after: Policy) -> Iterator[str]:
    pull = pull_context.pull
    groups_after = (names for stack in after.stacks.values() for _group, names in groups_of(after, stack))
    if any(total > MOST_COMPARED for total in accumulate(map(len, groups_after))):
        yield f"`{PATH}` has too many environments to say how this pull request makes them differ: see `/parity`."
        return
    try:
        base = context.git.merge_base(pull.repository, pull_context.base_tip, pull.head_sha)
    except UserError:
        return  # no common history, which the pull request's plans report
    before = Snapshot(pull.repository, base, _policy(context, pull_context, base))
    known = {key for key, one in _differences(context, before).items() if not one.reason}
    groups: dict[tuple[str, tuple[str, ...]], list[Difference]] = {}
    for key, one in _differences(context, Snapshot(pull.repository, pull.head_sha, after)).items():
        if key not in known and not one.reason:
            groups.setdefault((key.stack, key.environments), []).append(one)
    for (stack, environments), found in groups.items():
        yield _note(stack if len(after.stacks) > 1 else "", environments, found)


def _differences(context: Context, at: Snapshot) -> dict[_Key, Difference]:
    found = {}
    for stack in at.policy.stacks.values():
        for group, names in groups_of(at.policy, stack):
            compared = compare_profiles(stack.name, group, file_profiles(context, at, stack.name, names))
            for one in compared.differences:
                found[_Key(stack.name, group.environments, one.what)] = one
    return found


def _note(stack: str, environments: tuple[str, ...], found: list[Difference]) -> str:
    in_stack = f" in `{stack}`" if stack else ""
    told = "; ".join(map(_told, found[:MOST]))
    more = f"; and {len(found) - MOST} more, see `/parity`" if len(found) > MOST else ""
    return (
        f"This pull request makes {joined(environments)} differ{in_stack}: {told}{more}. Make them alike, or declare it "
        f"in `{PATH}`, in a `[[parity]]` with `environments = {json.dumps(environments)}`: "
        f'`differences = [{{ what = "{outside(found[0].what)}", reason = "…" }}]`.'
    )


def _told(one: Difference) -> str:
    """`var.nodes` is `3` in prod (`envs/prod.tfvars line 3`) and missing in staging."""
    return f"`{outside(one.what)}` is {joined(_side(side, one) for side in one.sides)}"


def _side(side: Side, one: Difference) -> str:
    where = joined(side.environments)
    if side.value is None:
        return f"missing in {where}"
    kind = f" ({side.kind})" if one.kind == "type" else ""
    value = "a sensitive value" if side.hidden else f"`{outside(side.value, LONGEST)}`"
    return f"{value}{kind} in {where}" + (f" (`{outside(side.place)}`)" if side.place else "")
