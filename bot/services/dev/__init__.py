"""The environment on a laptop: its dependencies, and plans and applies of the working copy."""

from bot.services.dev.dependencies import BroughtUp, Machine, Report, bring_up, look_at, take_down
from bot.services.dev.recovery import recover
from bot.services.dev.runs import (
    Deployed,
    LocalWork,
    apply_working_copy,
    deployed,
    destroy_working_copy,
    plan_working_copy,
)

__all__ = [
    "BroughtUp",
    "Deployed",
    "LocalWork",
    "Machine",
    "Report",
    "apply_working_copy",
    "bring_up",
    "deployed",
    "destroy_working_copy",
    "look_at",
    "plan_working_copy",
    "recover",
    "take_down",
]
