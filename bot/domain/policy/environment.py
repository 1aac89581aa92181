"""One environment of the policy: `[env.<name>]`."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import timedelta
from typing import Annotated

from pydantic import ConfigDict, with_config

from bot.domain.drift import LEAST
from bot.domain.policy.freeze_windows import Window
from bot.domain.policy.identity import Identity
from bot.domain.policy.needs import Need
from bot.domain.policy.schema import ApprovalRules, Force, FreezeRule, Sleep, SmokeCheck
from bot.domain.policy.types import (
    Cap,
    Duration,
    Instance,
    Label,
    OnMerge,
    OnPullRequest,
    Outputs,
    Parallelism,
    PlanNeeds,
    Positive,
    Prefix,
    Recipients,
    RunnerName,
    SettingNames,
    Url,
    VarFiles,
    at_least,
)
from bot.domain.policy.validators import Flag, Text, listed

FORBID: ConfigDict = ConfigDict(extra="forbid")
"""Unknown keys of a table are errors."""


@with_config(FORBID)
@dataclass(frozen=True)
class Environment:
    """One environment's rules."""

    name: str
    on_pull_request: OnPullRequest = ""
    on_merge: OnMerge = ""
    runner: RunnerName = ""
    """Where a bot with a server runs its Terraform: "actions" for a workflow of GitHub Actions, "" for the bot itself."""
    instance: Instance = ""
    var_files: VarFiles = ()
    secrets_prefix: Prefix = ""
    url: Url = ""
    ttl: Positive | None = None
    sleep: Sleep = field(default_factory=Sleep)
    cap: Cap | None = None
    """How many instances there may be at a time; None: any number."""
    label: Label = ""
    """With `on_pull_request = "apply"`: only for pull requests with this label."""
    local: Flag = False
    laptop: Flag | None = None
    """Whether people's own Terraform may change it; None: `takes_laptops` decides from the other rules."""
    production: Flag = False
    plan_expires: Positive = timedelta(hours=24)
    lock_expires: Positive | None = None
    drift: Annotated[Duration, at_least(LEAST)] | None = None
    """How often drift is checked; None: only on request."""
    timeout: Positive = timedelta(hours=1)
    parallelism: Parallelism = 10
    smoke: Annotated[tuple[SmokeCheck, ...], listed("checks")] = ()
    artifacts: Outputs = ()
    artifact_recipients: Recipients = ()
    """Age keys that GitHub Actions encrypts the artifacts to: whoever can read Actions can download them."""
    promote_from: Text = ""
    soak: Duration = timedelta(0)
    approvals: ApprovalRules = field(default_factory=ApprovalRules)
    freeze: Annotated[tuple[FreezeRule, ...], listed("windows")] = ()
    plan_needs: PlanNeeds = "write"
    """Who may cause a plan, which runs the pull request's code with this environment's secrets: people with that role,
    or anyone with write once somebody else has approved the latest commit."""
    force: Force = field(default_factory=Force)
    identity: Identity = field(default_factory=Identity)
    """The roles that its runs get from clouds: one for plans, one for applies."""
    settings: SettingNames = ()
    """Names of its variables that are no secrets, so that people see their values."""
    needs: Annotated[tuple[Need, ...], listed("dependencies")] = ()
    """What `towpath dev up` starts, in this order; only where it is local."""

    @property
    def guarded(self) -> bool:
        """Whether it only accepts what was promoted or approved."""
        return bool(self.promote_from or self.approval_rules)

    @property
    def takes_laptops(self) -> bool:
        """Whether people's own Terraform may change it. Where the policy does not say, only if no promotion, approval
        or freeze applies to it, since none of them can be enforced on a laptop."""
        if self.laptop is not None:
            return self.laptop
        return not self.guarded and not any("apply" in window.actions for window in self.windows)

    @property
    def approval_rules(self) -> ApprovalRules | None:
        """Which approvals an apply needs; None where it needs none. Production needs one by default."""
        if not self.approvals.given and not self.production:
            return None
        return self.approvals if self.approvals.count or self.approvals.codeowners else None

    @property
    def windows(self) -> tuple[Window, ...]:
        """The freeze windows."""
        return tuple(rule.window for rule in self.freeze)

    def instance_for(self, pull: int) -> str:
        """`pr-42` for `pr-{pr}`; empty where the environment exists once."""
        return self.instance.replace("{pr}", str(pull))
