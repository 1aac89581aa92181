"""What the files of a commit say of environments: their var files, and their settings in the policy."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from bot.domain.parity import Profile, Trait, policy_traits
from bot.domain.policy import PATH, Environment, Lines, Policy
from bot.domain.ports.terraform import VariableValue
from bot.domain.states import looks_secret
from bot.errors import UserError
from bot.services.context import Context

LOCAL = "local-only"
"""Why nothing is known of an environment but its var files and a recorded state."""


@dataclass(frozen=True)
class Snapshot:
    """A commit in the mirror, and the policy by whose environments its files are read.

    policy_commit: the commit that has this policy, "" for the same one.
    """

    repository: str
    commit: str
    policy: Policy
    policy_commit: str = ""


def file_profiles(context: Context, at: Snapshot, stack: str, environments: Sequence[str]) -> list[Profile]:
    """Return what is known of environments from files alone: the names `var.…` and `policy.…`. It asks git.

    Values are not compared with anybody's secrets to mask them: whoever may write a var file could guess a secret, and see
    from the mask that it is right.
    """
    lines = Lines(
        (context.git.read(at.repository, at.policy_commit or at.commit, PATH) or b"").decode(
            "utf-8", "replace"
        )
    )
    try:
        files = context.git.files(at.repository, at.commit)
        sensitive = context.terraform.sensitive_variables(
            files, lambda path: context.git.read(at.repository, at.commit, path), at.policy.stacks[stack].root
        )
    except UserError as error:
        # without it any value could be a secret
        unread = {"var": error.what}
        return [_profile(at.policy.environments[name], (), lines, unread) for name in environments]
    return [_from_files(context, at, stack, name, (sensitive, lines)) for name in environments]


def _from_files(
    context: Context, at: Snapshot, stack: str, environment: str, shared: tuple[frozenset[str], Lines]
) -> Profile:
    sensitive, lines = shared
    values: dict[str, VariableValue] = {}
    unread: dict[str, str] = {}
    for path in at.policy.var_files(stack, environment):
        content = context.git.read(at.repository, at.commit, path)
        if content is None:
            continue
        try:
            values |= {one.name: one for one in context.terraform.var_file_values(path, content)}
        except UserError as error:
            unread["var"] = error.what
    traits = tuple(
        Trait(
            f"var.{one.name}",
            one.value,
            one.type,
            f"{one.file} line {one.line}" if one.line else one.file,
            hidden=one.name in sensitive or looks_secret(one.name, one.value),
        )
        for one in values.values()
    )
    return _profile(at.policy.environments[environment], traits, lines, unread)


def _profile(
    environment: Environment, variables: tuple[Trait, ...], lines: Lines, unread: dict[str, str]
) -> Profile:
    unknown = dict(unread)
    if environment.local:
        unknown["policy"] = LOCAL
    if environment.instance:
        unknown["policy.drift"] = ""  # instances have no scheduled checks
    return Profile(environment.name, (*variables, *policy_traits(environment, lines)), unknown)
