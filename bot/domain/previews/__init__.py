"""Previews: instances of an environment, one per pull request, from their first apply until they are destroyed.

`instance` is the record, `lifetime` says when one sleeps, is warned about and expires, `capacity` how many there may be,
`teardown` when a failed destroy is tried again, `variables` what Terraform gets to know of it."""

from bot.domain.previews.capacity import capacity_target, refuse_full
from bot.domain.previews.commands import DEFAULT_ENVIRONMENT, preview_command
from bot.domain.previews.instance import (
    Instance,
    InstanceState,
    Wanted,
    after_apply,
    after_destroy,
    after_switch,
    asleep_from_now,
    started,
)
from bot.domain.previews.lifetime import WARNINGS, renewed, sleep_due, sleeps_at, warning_due
from bot.domain.previews.teardown import after_failure
from bot.domain.previews.variables import preview_variables

__all__ = [
    "DEFAULT_ENVIRONMENT",
    "WARNINGS",
    "Instance",
    "InstanceState",
    "Wanted",
    "after_apply",
    "after_destroy",
    "after_failure",
    "after_switch",
    "asleep_from_now",
    "capacity_target",
    "preview_command",
    "preview_variables",
    "refuse_full",
    "renewed",
    "sleep_due",
    "sleeps_at",
    "started",
    "warning_due",
]
