"""Previews: instances of environments, one per pull request, brought to what they should be and destroyed in the end.

`wanted` records what should be; `reconcile` brings one instance there, after an event, a run or on the clock (`sweep`);
`destroy` carries a destroy out, `sleep` the commands that put one to sleep and wake it; `ended` records what a run has left."""

from bot.services.previews.actions import ACTIONS, act_on_instances
from bot.services.previews.bucket_leftovers import adopt_from_buckets
from bot.services.previews.destroy import execute_destroy
from bot.services.previews.ended import settle_run
from bot.services.previews.reconcile import reconcile_instance
from bot.services.previews.sleep import execute_sleep, switch_instances
from bot.services.previews.state_retention import forget_ended_instances
from bot.services.previews.sweep import sweep_instances
from bot.services.previews.wanted import dismiss_instances, want_instances

__all__ = [
    "ACTIONS",
    "act_on_instances",
    "adopt_from_buckets",
    "dismiss_instances",
    "execute_destroy",
    "execute_sleep",
    "forget_ended_instances",
    "reconcile_instance",
    "settle_run",
    "sweep_instances",
    "switch_instances",
    "want_instances",
]
