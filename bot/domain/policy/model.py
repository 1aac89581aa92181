"""The policy: what `envs/environments.toml` on the default branch says. bot/domain/policy/loader.py reads it.

Stack, BackendPolicy and Environment are plain dataclasses, so that code can build them without a file; their field types
are those that the loader validates.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable
from dataclasses import asdict, dataclass, field, replace
from fnmatch import fnmatchcase
from functools import cached_property
from typing import Annotated, Literal

from pydantic import with_config

from bot.domain.order import in_layers, upstream_of
from bot.domain.policy.environment import FORBID, Environment
from bot.domain.policy.parity import ParityGroup, default_groups
from bot.domain.policy.providers import ProviderRules
from bot.domain.policy.schema import Table
from bot.domain.policy.types import (
    Bucket,
    Directory,
    Endpoint,
    Globs,
    Inputs,
    Names,
    StackNames,
    StateKey,
    Word,
)
from bot.domain.policy.validators import choice
from bot.domain.target import Target

__all__ = ["PATH", "BackendKind", "BackendPolicy", "Environment", "Policy", "Stack", "matches"]

PATH = "envs/environments.toml"
BackendKind = Literal["", "http", "s3"]
_LATER = ("identity", "sleep", "cap", "label", "artifact_recipients", "settings", "needs", "runner")
"""Fields of an environment that the first version did not have. The digest leaves them out where they are not set, so that
an upgrade makes no plan stale."""
_LATER_OF_STACKS = ("after", "inputs")
"""The same for stacks."""


@with_config(FORBID)
@dataclass(frozen=True)
class BackendPolicy:
    """Where a stack's state is. `kind` empty: what the repository declares, else the built-in one (`http`). The other
    fields are for s3, which includes R2.

    `key` may use {env}, {stack}, {instance}; its default is `{env}/terraform.tfstate`, or
    `{env}/{stack}/terraform.tfstate` with several stacks.
    """

    kind: Annotated[BackendKind, choice(Literal["http", "s3"])] = ""
    bucket: Bucket = ""
    key: StateKey = ""
    region: Word = "auto"
    endpoint: Endpoint = ""


@with_config(FORBID)
@dataclass(frozen=True)
class Stack:
    """A root module. `when_modified` are globs relative to the repository's root; `**` crosses directories. `after`: the
    stacks that it comes after; `inputs`: outputs of theirs that it gets as variables."""

    name: str
    root: Directory
    when_modified: Globs = ()
    environments: Names = ()
    backend: BackendPolicy = BackendPolicy()
    after: StackNames = ()
    inputs: Inputs = ()

    def watches(self, path: str) -> bool:
        """Whether a change of this path concerns the stack."""
        return any(matches(glob, path) for glob in self.when_modified or (f"{self.root}/**",))


@dataclass(frozen=True)
class Policy:
    """A whole policy file. `source`: where it was read (`envs/environments.toml` at a commit)."""

    stacks: dict[str, Stack]
    environments: dict[str, Environment]
    branches: tuple[str, ...] = ()
    """Base branches, besides the default branch, whose pull requests are planned (globs)."""
    providers: ProviderRules = field(default_factory=ProviderRules)
    source: str = ""
    modules: tuple[str, ...] = ()
    """Other repositories of the same owner that hold private modules (`owner/name` in lower case)."""
    parity: tuple[ParityGroup, ...] | None = None
    """Which environments must be alike, as the file says; None where it says nothing."""
    settings: tuple[str, ...] = ()
    """Names of variables that are no secrets in any environment."""

    def environments_of(self, stack: Stack) -> list[Environment]:
        """The environments of a stack that the bot runs, in the order of the file. Local ones are left out."""
        return [
            env
            for env in self.environments.values()
            if not env.local and (not stack.environments or env.name in stack.environments)
        ]

    @property
    def guarded(self) -> list[str]:
        """Names of the environments that only accept what was promoted or approved, in the order of the file."""
        return [env.name for env in self.environments.values() if env.guarded and not env.local]

    @property
    def parity_groups(self) -> tuple[ParityGroup, ...]:
        """The groups of environments that must be alike: those of the file, and the default ones that have no environment
        in common with them. An empty list turns that off."""
        given = self.parity or ()
        named = {name for group in given for name in group.environments}
        rest = default_groups(self.environments) if self.parity != () else ()
        return (*given, *(group for group in rest if not named & set(group.environments)))

    def plans_base(self, base: str, default_branch: str) -> bool:
        """Whether pull requests into `base` are planned."""
        return base == default_branch or any(fnmatchcase(base, glob) for glob in self.branches)

    def target(self, repository: str, stack: str, environment: str, pull: int) -> Target:
        """The target of a pull request. Environments that exist once have the same one for all."""
        return Target(repository, stack, environment, self.environments[environment].instance_for(pull))

    def lasting_targets(self, repository: str) -> list[Target]:
        """The targets that exist once, not per pull request."""
        return [
            self.target(repository, stack.name, env.name, 0)
            for stack in self.stacks.values()
            for env in self.environments_of(stack)
            if not env.instance
        ]

    def order(self, stacks: Iterable[str]) -> tuple[tuple[str, ...], ...]:
        """Return stacks in layers, those that others come after first. Destroys go through the layers in reverse."""
        return in_layers(self._after, stacks)

    def in_order(self, targets: Iterable[Target]) -> list[Target]:
        """Return targets so that none precedes one whose stack it comes after."""
        chosen = list(targets)
        names = [name for layer in self.order(target.stack for target in chosen) for name in layer]
        return sorted(chosen, key=lambda target: names.index(target.stack))

    def upstream(self, target: Target) -> list[Target]:
        """Return the targets that `target` comes after: the same environment and instance of the stacks before its own, as
        far as they are deployed there."""
        before = upstream_of(self._after, target.stack)
        return [
            replace(target, stack=name) for name in self.stacks if name in before and self._in(name, target)
        ]

    def dependents(self, target: Target) -> list[Target]:
        """Return the targets that get outputs of `target` as inputs."""
        return [
            replace(target, stack=stack.name)
            for stack in self.stacks.values()
            if any(one.stack == target.stack for one in stack.inputs) and self._in(stack.name, target)
        ]

    @cached_property
    def _after(self) -> dict[str, tuple[str, ...]]:
        return {stack.name: stack.after for stack in self.stacks.values()}

    def _in(self, stack: str, target: Target) -> bool:
        return any(env.name == target.environment for env in self.environments_of(self.stacks[stack]))

    def key(self, stack: str, environment: str) -> str:
        """The state's key: the backend's `key`, or the default. `{instance}` is not filled in."""
        pattern = self.stacks[stack].backend.key or (
            "{env}/terraform.tfstate" if len(self.stacks) == 1 else "{env}/{stack}/terraform.tfstate"
        )
        return pattern.replace("{env}", environment).replace("{stack}", stack)

    def var_files(self, stack: str, environment: str) -> tuple[str, ...]:
        """Var files relative to the repository's root, in the order Terraform gets them (a later one wins)."""
        given = self.environments[environment].var_files or ("envs/{env}.tfvars",)
        return tuple(path.replace("{env}", environment).replace("{stack}", stack) for path in given)

    def overlay(self, stack: str, environment: str) -> tuple[str, ...]:
        """Var files that Terraform gets besides while an instance sleeps."""
        given = self.environments[environment].sleep.var_files
        return tuple(path.replace("{env}", environment).replace("{stack}", stack) for path in given)

    def secrets_prefix(self, environment: str) -> str:
        """The prefix of the variables that become the environment's secrets."""
        return self.environments[environment].secrets_prefix or f"{environment.upper().replace('-', '_')}_"

    def settings_of(self, environment: str) -> frozenset[str]:
        """The names of an environment's variables that are listed as no secrets."""
        return frozenset((*self.settings, *self.environments[environment].settings))

    def digest(self, stack: str, environment: str) -> str:
        """The digest of what a plan depends on. When it changes, the plan is stale."""
        if (stack, environment) not in self._digests:
            rules = asdict(self.environments[environment])
            for name in _LATER:
                if not rules[name]:
                    del rules[name]
            module = asdict(self.stacks[stack])
            for name in _LATER_OF_STACKS:
                if not module[name]:
                    del module[name]
            facts = [module, rules, self.key(stack, environment)]
            text = json.dumps(facts, sort_keys=True, default=_plain)
            self._digests[stack, environment] = hashlib.sha256(text.encode()).hexdigest()
        return self._digests[stack, environment]

    @cached_property
    def _digests(self) -> dict[tuple[str, str], str]:
        """Digests so far: each view of a pull request compares one for each target."""
        return {}


def _plain(value: object) -> object:
    """For the digest. Tables count with the keys that the file gives, under the names that it uses."""
    if isinstance(value, Table):
        return value.model_dump(by_alias=True, exclude_unset=True)
    return str(value)


def matches(glob: str, path: str) -> bool:
    """Whether a path matches a glob, both relative to the repository's root. `**` crosses directories, `*` and `?` do
    not. Unlike in .gitignore, `infra/*` does not match what is in `infra/a/`, and `*.tf` only matches at the root."""
    wanted = [part for part in glob.strip("/").split("/") if part != "."]
    return _match(wanted, path.strip("/").split("/"))


def _match(wanted: list[str], have: list[str]) -> bool:
    if not wanted:
        return not have
    if wanted[0] == "**":
        return any(_match(wanted[1:], have[skip:]) for skip in range(len(have) + 1))
    return bool(have) and fnmatchcase(have[0], wanted[0]) and _match(wanted[1:], have[1:])
