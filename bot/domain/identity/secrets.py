"""An environment's static secrets, split by what a run may do: plans read, applies write."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from bot.domain.run import CHANGING, Run

Access = Literal["plan", "apply"]
"""What a run may do: `plan` reads, `apply` changes things. It is the `phase` of a token."""

_PREFIXES: dict[Access, str] = {"plan": "PLAN_", "apply": "APPLY_"}


def access_of(run: Run) -> Access:
    """Return what a run may do: only an apply, which includes that of a revert, and a destroy may write."""
    return "apply" if run.kind in CHANGING else "plan"


@dataclass(frozen=True)
class EnvironmentSecrets:
    """Variables for Terraform, without the environment's prefix: those of plans, and those of applies."""

    plan: Mapping[str, str]
    apply: Mapping[str, str]

    @classmethod
    def split(cls, variables: Mapping[str, str]) -> EnvironmentSecrets:
        """Split an environment's variables: `PLAN_X` is `X` for plans only, `APPLY_X` for applies only, and any other
        is for both. Where both `PLAN_X` and `X` are set, plans get the former."""
        shared = {
            name: value for name, value in variables.items() if not name.startswith(tuple(_PREFIXES.values()))
        }
        own = {
            access: {
                name.removeprefix(prefix): value
                for name, value in variables.items()
                if name.startswith(prefix) and name != prefix
            }
            for access, prefix in _PREFIXES.items()
        }
        return cls(shared | own["plan"], shared | own["apply"])

    def of(self, access: Access) -> Mapping[str, str]:
        return self.apply if access == "apply" else self.plan

    @property
    def values(self) -> tuple[str, ...]:
        """All of them, to redact: what an apply wrote into a state can turn up in a plan."""
        return tuple(dict.fromkeys((*self.plan.values(), *self.apply.values())))
