"""Runs that GitHub Actions carries out for the bot (`runner = "actions"`).

In the bot, `plan` and `apply` hand a run over and record what it left, by way of `follow`: dispatch the workflow once, find
it, follow it, collect its sealed result. In the workflow, `job` carries out one request."""

from bot.services.runner.apply import apply_elsewhere
from bot.services.runner.job import JobTools, carry_out
from bot.services.runner.plan import plan_elsewhere

__all__ = ["JobTools", "apply_elsewhere", "carry_out", "plan_elsewhere"]
