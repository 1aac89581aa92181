"""What is known of an environment's secrets without their values: which are set, where, and what is still missing."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

from bot.domain.identity import PHASES, Access, EnvironmentSecrets, Given
from bot.domain.policy import Policy
from bot.domain.ports.terraform import InputVariable
from bot.domain.sanitize import outside

TF_VAR = "TF_VAR_"
"""What the environment variable of an input variable begins with."""


@dataclass(frozen=True)
class SecretEntry:
    """A variable that runs get. setting: whether it is a plain setting. plan, apply: where it was set for that phase,
    None if that phase does not get it."""

    name: str
    setting: bool
    plan: Given | None
    apply: Given | None


@dataclass(frozen=True)
class MissingVariable:
    """An input variable of a stack's module without a value. phases: in which. next_step: how to give it one."""

    stack: str
    variable: InputVariable
    phases: tuple[Access, ...]
    next_step: str


@dataclass(frozen=True)
class SecretsReport:
    """The secrets of an environment, never with values.

    commit: whose modules were read. unread: why a stack's module could not be read, one sentence each.
    """

    repository: str
    environment: str
    prefix: str
    commit: str
    entries: tuple[SecretEntry, ...]
    missing: tuple[MissingVariable, ...] = ()
    unread: tuple[str, ...] = ()


def entries_of(secrets: EnvironmentSecrets, settings: Collection[str]) -> tuple[SecretEntry, ...]:
    """Return what is set, by name."""
    names = sorted({*secrets.plan, *secrets.apply})
    plan, apply = (secrets.origins.get(access, {}) for access in PHASES)
    return tuple(SecretEntry(name, name in settings, plan.get(name), apply.get(name)) for name in names)


def missing_of(
    secrets: EnvironmentSecrets,
    policy: Policy,
    environment: str,
    stack: str,
    variables: Collection[InputVariable],
) -> tuple[MissingVariable, ...]:
    """Return the module's variables that have no value. variables: those with neither default nor value in a file.

    A plan file keeps the values of variables, so an apply needs its own only of those that are ephemeral.
    """
    found = []
    for one in variables:
        needed: tuple[Access, ...] = ("plan", "apply") if one.ephemeral else ("plan",)
        phases = tuple(access for access in needed if f"{TF_VAR}{one.name}" not in secrets.of(access))
        if phases:
            found.append(
                MissingVariable(stack, one, phases, _next_step(policy, environment, stack, one, phases))
            )
    return tuple(found)


def _next_step(
    policy: Policy, environment: str, stack: str, variable: InputVariable, phases: tuple[Access, ...]
) -> str:
    """Say how to give a variable a value. One that is sensitive or ephemeral belongs in no file of the repository."""
    phase = "" if len(phases) > 1 or not variable.ephemeral else PHASES[phases[0]]
    name = outside(variable.name)
    full = f"{policy.secrets_prefix(environment)}{phase}{TF_VAR}{name}"
    files = policy.var_files(stack, environment)
    if variable.sensitive or variable.ephemeral or not files:
        return f"Set `{full}` where the bot runs."
    return f"Add `{name} = …` to `{files[-1]}`, or set `{full}` where the bot runs."
