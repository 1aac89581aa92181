"""Pull requests: what the bot does when one changes, and the status that surfaces show."""

from bot.services.pulls.events import (
    GATE_PREFIX,
    check_rerequested,
    confirm_repositories,
    merge_group_requested,
    pull_changed,
    pushed,
    trust_fork,
)
from bot.services.pulls.new_providers import new_provider_warnings
from bot.services.pulls.replans import replan_dependents
from bot.services.pulls.status import pull_status, repository_status, target_status

__all__ = [
    "GATE_PREFIX",
    "check_rerequested",
    "confirm_repositories",
    "merge_group_requested",
    "new_provider_warnings",
    "pull_changed",
    "pull_status",
    "pushed",
    "replan_dependents",
    "repository_status",
    "target_status",
    "trust_fork",
]
