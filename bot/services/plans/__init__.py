"""Plans: requested by an event or a person, made once per target and pull request.

`workspace` prepares the directory that Terraform runs in; `revert_target` chooses the release of a
revert, `revert_plan` plans it."""

from bot.services.plans.plan import (
    PlanFiles,
    PlanRequest,
    execute_plan,
    keep_plan,
    plan_run_id,
    request_plans,
    run_plan,
    terraform_turn,
)
from bot.services.plans.rate_limit import limit_note
from bot.services.plans.revert_plan import state_left_by
from bot.services.plans.revert_target import RevertTarget, choose_release
from bot.services.plans.workspace import (
    OURS,
    Checkout,
    InitFailed,
    Workspace,
    parallelism,
    prepare_workspace,
    state_of,
    stored_backend,
)

__all__ = [
    "OURS",
    "Checkout",
    "InitFailed",
    "PlanFiles",
    "PlanRequest",
    "RevertTarget",
    "Workspace",
    "choose_release",
    "execute_plan",
    "keep_plan",
    "limit_note",
    "parallelism",
    "plan_run_id",
    "prepare_workspace",
    "request_plans",
    "run_plan",
    "state_left_by",
    "state_of",
    "stored_backend",
    "terraform_turn",
]
