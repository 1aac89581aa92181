"""An environment's static secrets, split by what a run may do: plans read, applies write."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from typing import Literal

from bot.domain.run import CHANGING, Run

Access = Literal["plan", "apply"]
"""What a run may do: `plan` reads, `apply` changes things. It is the `phase` of a token."""

Source = Literal["environment", "file", "command"]
"""Where a variable comes from: the environment of the bot's process, the secrets file, or the secrets command."""

PHASES: dict[Access, str] = {"plan": "PLAN_", "apply": "APPLY_"}
"""What a name begins with that is for one phase only."""
EXPORT = "EXPORT_"
"""What the name of a variable for exports begins with: addresses of databases and the masking key."""

_LITERALS = frozenset(["true", "false", "null"])
"""Values that no secret has, and that every plan is full of."""


def access_of(run: Run) -> Access:
    """Return what a run may do: only an apply, which includes that of a revert, and a destroy may write."""
    return "apply" if run.kind in CHANGING else "plan"


@dataclass(frozen=True)
class Given:
    """Where a variable was set. name: as it is called there, such as `STAGING_PLAN_TOKEN`."""

    source: Source
    name: str


@dataclass(frozen=True)
class EnvironmentSecrets:
    """Variables without the environment's prefix: those of plans and those of applies, which Terraform gets, and those of
    exports (`EXPORT_X` is `X`), which it never gets.

    origins: where each was set, by phase and name.
    """

    plan: Mapping[str, str] = field(repr=False)
    apply: Mapping[str, str] = field(repr=False)
    origins: Mapping[Access, Mapping[str, Given]] = field(default_factory=dict)
    export: Mapping[str, str] = field(default_factory=dict, repr=False)

    @classmethod
    def split(
        cls, variables: Mapping[str, str], given: Mapping[str, Given] | None = None
    ) -> EnvironmentSecrets:
        """Split an environment's variables: `PLAN_X` is `X` for plans only, `APPLY_X` for applies only, and any other
        is for both. Where both `PLAN_X` and `X` are set, plans get the former.

        given: where each was set, if not in the environment of the process under this very name.
        """
        where = given or {}
        shared = {name: name for name in variables if not name.startswith((*PHASES.values(), EXPORT))}
        own = {
            access: shared
            | {
                name.removeprefix(prefix): name
                for name in variables
                if name.startswith(prefix) and name != prefix
            }
            for access, prefix in PHASES.items()
        }
        values = {
            access: {name: variables[full] for name, full in names.items()} for access, names in own.items()
        }
        origins = {
            access: {name: where.get(full, Given("environment", full)) for name, full in names.items()}
            for access, names in own.items()
        }
        export = {
            name.removeprefix(EXPORT): value for name, value in variables.items() if name.startswith(EXPORT)
        }
        return cls(values["plan"], values["apply"], origins, export)

    def of(self, access: Access) -> Mapping[str, str]:
        return self.apply if access == "apply" else self.plan

    def hidden(self, settings: Collection[str] = ()) -> tuple[str, ...]:
        """Return the values to redact: those of both phases, since what an apply wrote into a state can turn up in a
        plan. settings: names of variables that are plain settings."""
        return tuple(
            dict.fromkeys(
                value
                for variables in (self.plan, self.apply, self.export)
                for name, value in variables.items()
                if name not in settings and value not in _LITERALS
            )
        )
