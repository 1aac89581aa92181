"""Reverts: return an environment to an earlier release, or restore only its state."""

from bot.services.reverts.request import RevertRequest, request_revert
from bot.services.reverts.state_only import RestoreRequest, restore_state

__all__ = [
    "RestoreRequest",
    "RevertRequest",
    "request_revert",
    "restore_state",
]
