"""The policy: what `envs/environments.toml` on the default branch says. bot/domain/policy_file.py reads it."""

from __future__ import annotations

import hashlib
import json
from dataclasses import asdict, dataclass, field
from datetime import timedelta
from fnmatch import fnmatchcase
from functools import cached_property
from typing import Any, Literal

from bot.domain.freeze import Window, read
from bot.domain.target import Target

PATH = "envs/environments.toml"
BackendKind = Literal["", "http", "s3"]


@dataclass(frozen=True)
class BackendPolicy:
    """`kind` empty: what the repository declares, else the built-in one (`http`). Other fields are s3's/R2's.

    `key` may use {env}, {stack}, {instance}; its default is `{env}/terraform.tfstate`, or
    `{env}/{stack}/terraform.tfstate` where there are several stacks.
    """

    kind: BackendKind = ""
    bucket: str = ""
    key: str = ""
    region: str = "auto"
    endpoint: str = ""


@dataclass(frozen=True)
class Stack:
    """A root module. `when_modified` are globs from the repository's top; `**` crosses directories."""

    name: str
    root: str
    when_modified: tuple[str, ...] = ()
    environments: tuple[str, ...] = ()
    backend: BackendPolicy = BackendPolicy()

    def watches(self, path: str) -> bool:
        return any(matches(glob, path) for glob in self.when_modified or (f"{self.root}/**",))


@dataclass(frozen=True)
class Consent:
    """What an environment asks for before an apply: `approvals` of the policy.

    count: approvals by different people. teams, users: whose approvals count for it (`acme/platform`, `ann`); where
    none is named, anybody's with the write role. codeowners: besides, one owner of each changed path that has any.
    self_approval: whether the requester and the commit's authors may approve. expires: how long people have.
    """

    count: int = 1
    codeowners: bool = False
    teams: tuple[str, ...] = ()
    users: tuple[str, ...] = ()
    self_approval: bool = False
    expires: timedelta = timedelta(hours=24)


@dataclass(frozen=True)
class Environment:
    """One environment's rules. Durations are timedeltas; tables are kept as they were checked."""

    name: str
    on_pull_request: Literal["", "plan", "verify", "apply"] = ""
    on_merge: Literal["", "sync", "apply"] = ""
    instance: str = ""
    var_files: tuple[str, ...] = ()
    secrets_prefix: str = ""
    url: str = ""
    ttl: timedelta | None = None
    local: bool = False
    laptop: bool | None = None
    """Whether people's own Terraform may change it; None: what `takes_laptops` makes of the other rules."""
    production: bool = False
    plan_expires: timedelta = timedelta(hours=24)
    lock_expires: timedelta | None = None
    drift: timedelta | None = None
    """How often it is looked at for drift; None: when somebody asks."""
    timeout: timedelta = timedelta(hours=1)
    parallelism: int = 10
    smoke: tuple[dict[str, Any], ...] = ()
    artifacts: tuple[str, ...] = ()
    promote_from: str = ""
    soak: timedelta = timedelta(0)
    approvals: dict[str, Any] = field(default_factory=dict)
    freeze: tuple[dict[str, Any], ...] = ()
    plan_needs: Literal["write", "maintain", "approval"] = "write"
    """Who may cause a plan, which runs the pull request's code with this environment's secrets: people of that role,
    or anybody with write once somebody else has approved that head."""
    force: dict[str, Any] = field(default_factory=dict)
    """Who may break the glass: `users`, `teams`."""

    @property
    def guarded(self) -> bool:
        """Whether it takes only what was promoted or approved."""
        return bool(self.promote_from or self.consent)

    @property
    def takes_laptops(self) -> bool:
        """Whether people's own Terraform may change it: where the policy does not say, only if no promotion, approval
        or freeze guards it, since none of them can be asked of a laptop."""
        if self.laptop is not None:
            return self.laptop
        return not self.guarded and not any("apply" in window.actions for window in self.windows)

    @property
    def consent(self) -> Consent | None:
        """Whose approvals an apply needs; None where it needs nobody's. Production needs one where nothing is said."""
        if not self.approvals and not self.production:
            return None
        given = {("self_approval" if key == "self" else key): value for key, value in self.approvals.items()}
        consent = Consent(**given)
        return consent if consent.count or consent.codeowners else None

    @property
    def windows(self) -> tuple[Window, ...]:
        """The freeze windows."""
        return tuple(read(entry) for entry in self.freeze)

    def instance_for(self, pull: int) -> str:
        """`pr-42` for `pr-{pr}`; empty where the environment exists once."""
        return self.instance.replace("{pr}", str(pull))


@dataclass(frozen=True)
class Policy:
    """All of it. `source` says where it was read (`envs/environments.toml` at a commit)."""

    stacks: dict[str, Stack]
    environments: dict[str, Environment]
    branches: tuple[str, ...] = ()
    """Bases besides the default branch whose pull requests are planned (globs)."""
    source: str = ""

    def environments_of(self, stack: Stack) -> list[Environment]:
        """In the order of the file; dev (`local`) is for the laptop alone."""
        return [
            env
            for env in self.environments.values()
            if not env.local and (not stack.environments or env.name in stack.environments)
        ]

    @property
    def guarded(self) -> list[str]:
        """Names of the environments that take only what was promoted or approved, in the order of the file."""
        return [env.name for env in self.environments.values() if env.guarded and not env.local]

    def plans_base(self, base: str, default_branch: str) -> bool:
        return base == default_branch or any(fnmatchcase(base, glob) for glob in self.branches)

    def target(self, repository: str, stack: str, environment: str, pull: int) -> Target:
        return Target(repository, stack, environment, self.environments[environment].instance_for(pull))

    def standing(self, repository: str) -> list[Target]:
        """The targets that exist once, whoever changes them next."""
        return [
            self.target(repository, stack.name, env.name, 0)
            for stack in self.stacks.values()
            for env in self.environments_of(stack)
            if not env.instance
        ]

    def key(self, stack: str, environment: str) -> str:
        """The state's key, as `environments.toml` or the default says."""
        pattern = self.stacks[stack].backend.key or (
            "{env}/terraform.tfstate" if len(self.stacks) == 1 else "{env}/{stack}/terraform.tfstate"
        )
        return pattern.replace("{env}", environment).replace("{stack}", stack)

    def var_files(self, stack: str, environment: str) -> tuple[str, ...]:
        """Paths from the repository's top, in the order Terraform gets them (a later one wins)."""
        given = self.environments[environment].var_files or ("envs/{env}.tfvars",)
        return tuple(path.replace("{env}", environment).replace("{stack}", stack) for path in given)

    def secrets_prefix(self, environment: str) -> str:
        return self.environments[environment].secrets_prefix or f"{environment.upper().replace('-', '_')}_"

    def digest(self, stack: str, environment: str) -> str:
        """What a plan of this target depended on: a changed policy makes it stale."""
        if (stack, environment) not in self._digests:
            facts = [
                asdict(self.stacks[stack]),
                asdict(self.environments[environment]),
                self.key(stack, environment),
            ]
            text = json.dumps(facts, sort_keys=True, default=str)
            self._digests[stack, environment] = hashlib.sha256(text.encode()).hexdigest()
        return self._digests[stack, environment]

    @cached_property
    def _digests(self) -> dict[tuple[str, str], str]:
        """Those that were asked for: every look at a pull request compares one a target."""
        return {}


def matches(glob: str, path: str) -> bool:
    """`**` crosses directories, `*` and `?` do not (as in .gitignore and CODEOWNERS)."""
    wanted = [part for part in glob.strip("/").split("/") if part != "."]
    return _match(wanted, path.strip("/").split("/"))


def _match(wanted: list[str], have: list[str]) -> bool:
    if not wanted:
        return not have
    if wanted[0] == "**":
        return any(_match(wanted[1:], have[skip:]) for skip in range(len(have) + 1))
    return bool(have) and fnmatchcase(have[0], wanted[0]) and _match(wanted[1:], have[1:])
