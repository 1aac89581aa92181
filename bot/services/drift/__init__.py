"""Drift checks: requested by people or the schedule, and carried out by a worker."""

from bot.services.drift.check import execute_drift_check
from bot.services.drift.request import request_drift_check, request_drift_checks, schedule_drift_checks

__all__ = [
    "execute_drift_check",
    "request_drift_check",
    "request_drift_checks",
    "schedule_drift_checks",
]
