"""What is known of a run that failed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from bot.domain.run import Phase, Run
from bot.domain.states import LockInfo
from bot.domain.why.model import Diagnostic, Reason
from bot.domain.why.terraform_errors import parse_error, split_errors

_STEPS: dict[Phase, str] = {
    "queued": "waiting in the queue",
    "preparing": "preparing the checkout",
    "initialising": "terraform init",
    "planning": "terraform plan",
    "applying": "terraform apply",
    "recording": "recording the state",
    "verifying": "smoke checks",
}
_RAN: dict[Phase, str] = {"preparing": "terraform init", "recording": "terraform apply"}
"""What Terraform was doing where the phase is another one: an apply initialises while it prepares, and what it leaves is
recorded before its run ends."""


@dataclass(frozen=True)
class Evidence:
    """What is known of a run that failed.

    phase: None for one that ended before phases were recorded. log: its last lines. lock: what holds the state's lock now.
    prefix: of the environment's secrets, "" if the policy cannot be read. forked: the code is from a fork.
    """

    run: Run
    phase: Phase | None = None
    reason: Reason = field(default_factory=Reason)
    log: Sequence[str] = ()
    lock: LockInfo | None = None
    prefix: str = ""
    forked: bool = False

    @property
    def diagnostics(self) -> tuple[Diagnostic, ...]:
        """Terraform's errors; of a run that ended before they were recorded, what its message says."""
        if self.reason.diagnostics or self.run.outcome not in ("failed", "timed_out"):
            return self.reason.diagnostics
        return tuple(parse_error(text) for text in split_errors(self.run.message))


def step_of(evidence: Evidence) -> str:
    """Return what was being done when the run ended; "" if that is not known."""
    if evidence.run.outcome == "applied":
        return _STEPS["verifying"]
    if evidence.phase is None or evidence.run.outcome == "refused":
        return ""
    ran = evidence.reason.exit_code is not None
    return (_RAN if ran else _STEPS).get(evidence.phase) or _STEPS.get(evidence.phase, "")
