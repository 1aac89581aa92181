"""Plans and applies in GitHub Actions, without a server: the pull request's plans, and after the merge the reviewed plan again.

`pull_plans` plans, `reviewed` signs what people read, `merged` finds the pull request that was merged, `apply` applies what
was reviewed or says how it differs, `unsaved` saves a state that could not be uploaded, `handover` passes releases on to the
next environment, `status` is what the comments show."""

from bot.services.actions.apply import Workshop, apply_merge
from bot.services.actions.handover import hand_over, take_over
from bot.services.actions.inputs import record_input_states
from bot.services.actions.merged import MergeApply, find_merge
from bot.services.actions.pull_plans import pull_requested, request_pull_plans
from bot.services.actions.reviewed import reviewed_plans
from bot.services.actions.status import merge_status, plan_status
from bot.services.actions.unsaved import push_or_return

__all__ = [
    "MergeApply",
    "Workshop",
    "apply_merge",
    "find_merge",
    "hand_over",
    "merge_status",
    "plan_status",
    "pull_requested",
    "push_or_return",
    "record_input_states",
    "request_pull_plans",
    "reviewed_plans",
    "take_over",
]
